/**
 * said: the searchable parts of a session's events: prompts, the agent's messages, and tool inputs, each a line of JSON with its
 * position. Deltas are skipped because their whole text follows; outputs of tools are not searched.
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

/** Most characters of a message, and of a tool's input. */
const longestText = 20_000
const longestInput = 1_000

/** Frames of other types are not parsed. */
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
    // A prompt that steered the running turn; a turn's own prompt is in its `turn_start`.
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

/** Takes frames in order; drops consecutive repetitions (a `response` repeats the last message). */
export const reader = () => {
  let last: string | undefined
  return (frame: string): Said | undefined => {
    if (!worthReading.test(frame)) return undefined
    // These are our own frames, encoded from typed events.
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
