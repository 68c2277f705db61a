/**
 * said: what of a session's events can be found again: prompts, what the agent said, and what its tools were called with, each a
 * line of JSON with where it stands. Streamed pieces come again, whole; outputs of tools are not looked at.
 */
import type { RelayEvent } from "../../schema/index.js"

export type Speaker = "user" | "agent" | "tool"

export interface Said {
  readonly seq: number
  /** Unix seconds. */
  readonly ts: number
  readonly turn?: number
  readonly who: Speaker
  readonly text: string
}

/** Characters of one thing that was said, and of a tool's input. */
const longestText = 20_000
const longestInput = 1_000

/** Frames whose type is none of these need not be parsed. */
const worthReading = /^\{"type":"(?:turn_start|input_ack|assistant_message|response|tool_call)"/

const stringsIn = (value: unknown, found: Array<string>, depth = 0): void => {
  if (typeof value === "string") found.push(value)
  else if (Array.isArray(value) && depth < 4) value.forEach((each) => stringsIn(each, found, depth + 1))
  else if (typeof value === "object" && value !== null && depth < 4) {
    Object.values(value).forEach((each) => stringsIn(each, found, depth + 1))
  }
}

const textOf = (event: RelayEvent): readonly [Speaker, string] | undefined => {
  switch (event.type) {
    case "turn_start":
      return event.text === undefined ? undefined : ["user", event.text]
    // Handed to the running turn; those of a turn's own are in its start.
    case "input_ack":
      return event.status === "sent" && event.text !== undefined && event.turn !== undefined
        ? ["user", event.text]
        : undefined
    case "assistant_message":
    case "response":
      return event.text === undefined ? undefined : ["agent", event.text]
    case "tool_call": {
      const found: Array<string> = []
      stringsIn(event.args, found)
      return ["tool", [event.tool, ...found].join(" ").slice(0, longestInput)]
    }
    default:
      return undefined
  }
}

/** Takes frames in order; what is said twice in a row (a `response` repeats the last message) is there once. */
export const reader = () => {
  let last: string | undefined
  return (frame: string): Said | undefined => {
    if (!worthReading.test(frame)) return undefined
    // Our own frames: they were encoded from typed events.
    const event = JSON.parse(frame) as RelayEvent
    const found = textOf(event)
    if (found === undefined) return undefined
    const [who, whole] = found
    const text = whole.trim().slice(0, longestText)
    if (text === "" || text === last) return undefined
    last = text
    const { seq, ts, turn } = event
    return { seq, ts, ...(turn !== undefined && { turn }), who, text }
  }
}
