/**
 * openCalls: tool calls waiting for their results, by the ids clients know them by.
 *
 * An id may be reused once its call is over, in another thread or, by a careless model server, for two calls
 * at once; these get their results in the order they were made. A call may have no id, or a number.
 */
import { isDeepStrictEqual } from "node:util"
import type { CallIds } from "../wire/CallIds.js"

export interface OpenCall {
  /** The id clients know it by. */
  readonly tool_use_id: string
  readonly native: string
  readonly tool: string
  readonly args: unknown
  /** The call whose thread it was made in. */
  readonly parent: string | undefined
  /** Claude gave it no id. */
  readonly isUnnamed: boolean
}

export interface OpenCalls {
  /** Registers a call; undefined if it is already waiting and only repeated. */
  readonly begin: (
    native: string | undefined,
    tool: string,
    args: unknown,
    parent: string | undefined
  ) => OpenCall | undefined
  /** Ends the call this result belongs to; undefined if none is waiting for it. */
  readonly end: (native: string | undefined, parent: string | undefined) => OpenCall | undefined
  /** A call that already had its result, or whose turn ended without one. */
  readonly past: (native: string, parent: string | undefined) => "ended" | "dropped" | undefined
  /** The call is over without a result. */
  readonly drop: (call: OpenCall) => void
  readonly find: (native: string | undefined) => OpenCall | undefined
  readonly all: () => ReadonlyArray<OpenCall>
}

/** Number of ended calls remembered: a repeated result comes soon or never. */
const mostOver = 1000

/** An id as a string; undefined if there is none. */
export const idOf = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" ? value : typeof value === "number" ? String(value) : undefined

const keyOf = (native: string, parent = "") => `${parent}\0${native}`

export const makeOpenCalls = (ids: CallIds): OpenCalls => {
  const open = new Set<OpenCall>()
  const over = new Map<string, "ended" | "dropped">()
  let unnamed = 0

  const having = (native: string, parent: string | undefined) =>
    [...open].filter((call) => call.native === native && call.parent === parent)

  const remember = ({ native, parent }: OpenCall, how: "ended" | "dropped") => {
    over.set(keyOf(native, parent), how)
    if (over.size > mostOver) over.delete(over.keys().next().value ?? "")
  }

  const close = (call: OpenCall) => {
    open.delete(call)
    if (having(call.native, call.parent).length === 0) ids.settle(call.native, call.parent)
  }

  const begin: OpenCalls["begin"] = (given, tool, args, parent) => {
    const native = given ?? `unnamed-${++unnamed}`
    const others = having(native, parent)
    if (others.some((call) => call.tool === tool && isDeepStrictEqual(call.args, args))) return undefined
    if (others.length > 0) ids.settle(native, parent)
    const tool_use_id = ids.announce(native, parent)
    const call = { tool_use_id, native, tool, args, parent, isUnnamed: given === undefined }
    open.add(call)
    over.delete(keyOf(native, parent))
    return call
  }

  /**
   * A message may have lost its thread; a result without an id belongs to a call without one, or to the only
   * waiting call.
   */
  const waiting = (native: string | undefined, parent: string | undefined): OpenCall | undefined => {
    if (native !== undefined) {
      return having(native, parent)[0] ?? [...open].find((call) => call.native === native)
    }
    const alike = [...open].filter((call) => call.parent === parent)
    return alike.find(({ isUnnamed }) => isUnnamed) ?? (alike.length === 1 ? alike[0] : undefined)
  }

  return {
    begin,
    end: (native, parent) => {
      const call = waiting(native, parent)
      if (call === undefined) return undefined
      close(call)
      remember(call, "ended")
      return call
    },
    past: (native, parent) => over.get(keyOf(native, parent)),
    drop: (call) => {
      close(call)
      remember(call, "dropped")
    },
    find: (native) => [...open].find((call) => call.native === native),
    all: () => [...open]
  }
}
