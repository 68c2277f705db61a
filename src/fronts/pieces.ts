/**
 * pieces: messages and thoughts, streaming and whole. Of each kind every agent has one that is open at most; its whole
 * event ends it and adds what its previews lacked.
 *
 * What else is said in between ends it for the moment: more of it, if more comes, has the same id.
 */
import type { Op, TextKind } from "./Op.js"
import { ofParent } from "./read.js"

export interface Pieces {
  readonly preview: (kind: TextKind, words: string, parent: string | undefined) => void
  /** A preview of history: not shown, unless its whole never comes because the turn was broken off. */
  readonly hold: (kind: TextKind, words: string, parent: string | undefined) => void
  readonly whole: (kind: TextKind, words: string, parent: string | undefined) => void
  /** End all that is open. Their whole events may come yet. */
  readonly closeAll: () => void
  /** Show what was held and never told whole, and end it. */
  readonly showHeld: () => void
  /** The same as `closeAll`, of one agent. */
  readonly closeOf: (parent: string | undefined) => void
  /** Another turn. */
  readonly forget: () => void
  /** The agent has said something whole in this turn. */
  readonly hasSpoken: () => boolean
}

interface Piece {
  readonly kind: TextKind
  readonly parent: string | undefined
  /** Not before there is something to show. */
  id: string | undefined
  text: string
  isOpen: boolean
}

const keyOf = (kind: TextKind, parent: string | undefined) => `${kind} ${parent ?? ""}`

export const make = (push: (op: Op) => void, newId: (parent: string | undefined) => string): Pieces => {
  let pieces = new Map<string, Piece>()
  let held = new Map<string, Pick<Piece, "kind" | "parent" | "text">>()
  let hasSpoken = false

  const show = (piece: Piece, id: string, words: string) => {
    const { kind, parent } = piece
    if (!piece.isOpen) {
      push({ type: "start", kind, id, again: piece.text !== "", ...ofParent(parent) })
      piece.isOpen = true
    }
    piece.text += words
    push({ type: "delta", kind, id, text: words, ...ofParent(parent) })
  }

  const close = (piece: Piece, whole = piece.text) => {
    const { id, kind, parent } = piece
    if (!piece.isOpen || id === undefined) return
    piece.isOpen = false
    push({ type: "end", kind, id, text: whole, ...ofParent(parent) })
  }

  /** Their whole events may come yet. */
  const closeAll = () => pieces.forEach((piece) => close(piece))
  const closeOf = (parent: string | undefined) =>
    pieces.forEach((piece) => piece.parent === parent && close(piece))

  const preview = (kind: TextKind, words: string, parent: string | undefined) => {
    const key = keyOf(kind, parent)
    const piece = pieces.get(key) ?? { kind, parent, id: undefined, text: "", isOpen: false }
    pieces.set(key, piece)
    if (piece.id !== undefined) return show(piece, piece.id, words)
    const all = piece.text + words
    if (all.trim() === "") {
      piece.text = all
      return
    }
    piece.id = newId(parent)
    piece.text = ""
    show(piece, piece.id, all)
  }

  const hold = (kind: TextKind, words: string, parent: string | undefined) => {
    const key = keyOf(kind, parent)
    held.set(key, { kind, parent, text: (held.get(key)?.text ?? "") + words })
  }

  const showHeld = () => {
    const left = held
    held = new Map()
    for (const { kind, parent, text } of left.values()) whole(kind, text, parent)
  }

  const whole = (kind: TextKind, words: string, parent: string | undefined) => {
    const key = keyOf(kind, parent)
    const piece = pieces.get(key)
    pieces.delete(key)
    held.delete(key)
    if (kind === "text" && parent === undefined && words.trim() !== "") hasSpoken = true
    if (piece?.id === undefined) {
      if (words.trim() === "") return
      const id = newId(parent)
      const alone: Piece = { kind, parent, id, text: "", isOpen: false }
      show(alone, id, words)
      return close(alone)
    }
    const rest = words.startsWith(piece.text) ? words.slice(piece.text.length) : ""
    if (rest !== "") show(piece, piece.id, rest)
    close(piece, words)
  }

  return {
    preview,
    hold,
    whole,
    showHeld,
    closeAll,
    closeOf,
    forget: () => {
      pieces = new Map()
      held = new Map()
      hasSpoken = false
    },
    hasSpoken: () => hasSpoken
  }
}
