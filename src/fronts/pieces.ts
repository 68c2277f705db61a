/**
 * pieces: messages and thoughts, streamed and whole. Each agent has at most one of each kind open; its whole
 * event ends it and adds what its previews lacked.
 *
 * Anything else in between ends it for the moment; if more follows, it has the same id. Previews in history
 * are held until the whole text arrives, or until something else that was reported after they began, so the
 * order is the same both ways.
 */
import type { Op, TextKind } from "./Op.js"
import { ofParent } from "./read.js"

/** The speaker: the call that runs a subagent, or another thread of the agent if it has several. */
export interface Speaker {
  readonly parent?: string | undefined
  readonly thread?: string | undefined
}

export interface Pieces {
  readonly preview: (kind: TextKind, words: string, by: Speaker) => void
  /** A preview in history: not shown before it must be. */
  readonly hold: (kind: TextKind, words: string, by: Speaker) => void
  readonly whole: (kind: TextKind, words: string, by: Speaker) => void
  /** Something else is reported now: show what was held and began before it. */
  readonly showBegun: () => void
  /** End everything open. The whole events may still arrive. */
  readonly closeAll: () => void
  /** Show and end what was held and never arrived whole. */
  readonly showHeld: () => void
  /** The same as `closeAll`, for one agent. */
  readonly closeOf: (parent: string | undefined) => void
  /** Another turn begins. */
  readonly forget: () => void
  /** Whether the agent has finished a message in this turn. */
  readonly hasSpoken: () => boolean
}

interface Piece {
  readonly kind: TextKind
  readonly by: Speaker
  /** Set once there is something to show. */
  id: string | undefined
  text: string
  isOpen: boolean
}

const keyOf = (kind: TextKind, { parent = "", thread = "" }: Speaker) => `${kind} ${parent} ${thread}`

export interface PiecesOptions {
  readonly push: (op: Op) => void
  readonly newId: (parent: string | undefined) => string
  /** Held text waits for its whole, whatever is reported in the meantime. */
  readonly isWhole: boolean
}

export const make = ({ isWhole, newId, push }: PiecesOptions): Pieces => {
  let pieces = new Map<string, Piece>()
  /** In the order they began. */
  let held = new Map<string, Pick<Piece, "kind" | "by" | "text">>()
  let hasSpoken = false

  const show = (piece: Piece, id: string, words: string) => {
    const { by: { parent }, kind } = piece
    if (!piece.isOpen) {
      push({ type: "start", kind, id, again: piece.text !== "", ...ofParent(parent) })
      piece.isOpen = true
    }
    piece.text += words
    push({ type: "delta", kind, id, text: words, ...ofParent(parent) })
  }

  const close = (piece: Piece, whole = piece.text) => {
    const { by: { parent }, id, kind } = piece
    if (!piece.isOpen || id === undefined) return
    piece.isOpen = false
    push({ type: "end", kind, id, text: whole, ...ofParent(parent) })
  }

  const preview = (kind: TextKind, words: string, by: Speaker) => {
    const key = keyOf(kind, by)
    const piece = pieces.get(key) ?? { kind, by, id: undefined, text: "", isOpen: false }
    pieces.set(key, piece)
    if (piece.id !== undefined) return show(piece, piece.id, words)
    const all = piece.text + words
    if (all.trim() === "") {
      piece.text = all
      return
    }
    piece.id = newId(by.parent)
    piece.text = ""
    show(piece, piece.id, all)
  }

  const hold = (kind: TextKind, words: string, by: Speaker) => {
    const key = keyOf(kind, by)
    held.set(key, { kind, by, text: (held.get(key)?.text ?? "") + words })
  }

  /** All of them, or those that began before the one with this key. */
  const showBegun = (until?: string) => {
    if (isWhole) return
    for (const [key, { by, kind, text }] of held) {
      if (key === until) return
      held.delete(key)
      preview(kind, text, by)
    }
  }

  /** The whole events may still arrive. */
  const closeAll = () => {
    showBegun()
    pieces.forEach((piece) => close(piece))
  }
  const closeOf = (parent: string | undefined) => {
    showBegun()
    pieces.forEach((piece) => piece.by.parent === parent && close(piece))
  }

  const showHeld = () => {
    const left = held
    held = new Map()
    for (const { by, kind, text } of left.values()) whole(kind, text, by)
  }

  const whole = (kind: TextKind, words: string, by: Speaker) => {
    const key = keyOf(kind, by)
    showBegun(key)
    const piece = pieces.get(key)
    pieces.delete(key)
    held.delete(key)
    const { parent, thread } = by
    if (kind === "text" && parent === undefined && thread === undefined && words.trim() !== "") {
      hasSpoken = true
    }
    if (piece?.id === undefined) {
      if (words.trim() === "") return
      const id = newId(parent)
      const alone: Piece = { kind, by, id, text: "", isOpen: false }
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
    showBegun: () => showBegun(),
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
