/**
 * recorder: writes a recording in code: text in deltas, at the pace of an agent.
 */
import type { EventBody } from "../../schema/index.js"
import type { Recorded } from "./Transcript.js"

/** Seconds between two deltas of a text or of a program's output. */
const pieceEvery = 0.035
const lineEvery = 0.18

export interface Recorder {
  readonly recording: ReadonlyArray<Recorded>
  /** Add an event, `after` seconds later than the previous one. */
  readonly say: (event: EventBody, after?: number) => void
  /** Stream a text, then add it whole. */
  readonly write: (text: string, delta?: "text" | "reasoning") => void
  /** Call a tool that prints line by line and finishes. */
  readonly call: (tool: string, tool_use_id: string, args: object) => void
  readonly print: (tool_use_id: string, text: string) => void
  readonly done: (tool_use_id: string, text: string, fields?: { readonly exit_code: number }) => void
}

/** Words with the space after them, two at a time. */
const pieces = (text: string): ReadonlyArray<string> => text.match(/(?:\S+\s*){1,2}/g) ?? []

export const makeRecorder = (): Recorder => {
  const recording: Array<Recorded> = []
  let ts = 0
  const say: Recorder["say"] = (event, after = 0.05) => {
    ts += after
    recording.push({ ts, event, raw: undefined })
  }
  return {
    recording,
    say,
    write: (text, delta = "text") => {
      for (const piece of pieces(text)) say({ type: "stream_event", delta, text: piece }, pieceEvery)
      say(
        delta === "reasoning"
          ? { type: "reasoning", text }
          : { type: "assistant_message", text, content: [{ type: "text", text }] }
      )
    },
    call: (tool, tool_use_id, args) => {
      const input = JSON.stringify(args)
      for (const text of input.match(/[^]{1,24}/g)?.slice(0, 12) ?? []) {
        say({ type: "stream_event", delta: "tool_input", text, tool_use_id }, pieceEvery)
      }
      say({ type: "tool_call", tool, tool_use_id, args })
    },
    print: (tool_use_id, text) => {
      for (const line of text.split(/(?<=\n)/)) {
        say({ type: "stream_event", delta: "tool_output", text: line, tool_use_id }, lineEvery)
      }
    },
    done: (tool_use_id, text, { exit_code = 0 } = { exit_code: 0 }) =>
      say({
        type: "tool_result",
        tool_use_id,
        status: exit_code === 0 ? "ok" : "error",
        text,
        exit_code
      }, 0.3)
  }
}
