/** recorder: writes a recording by hand: what is said, piece by piece, at the pace an agent would say it. */
import type { EventBody } from "../../schema/index.js"
import type { Recorded } from "./Transcript.js"

/** Between two pieces of a text, and of a program's output, in seconds. */
const pieceEvery = 0.035
const lineEvery = 0.18

export interface Recorder {
  readonly recording: ReadonlyArray<Recorded>
  /** Say something, so many seconds after what was said before. */
  readonly say: (event: EventBody, after?: number) => void
  /** Stream a text, then say it whole. */
  readonly write: (text: string, delta?: "text" | "reasoning") => void
  /** A tool is called, prints line by line, and is done. */
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
