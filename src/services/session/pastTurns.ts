/**
 * pastTurns: the turns of a session as its own log has them, as far as they count: what was undone by going back before a
 * turn does not.
 */
import { Effect, Stream } from "effect"
import type { RelayEvent } from "../../schema/index.js"
import type { EventLog } from "../log/EventLog.js"
import { lastSeqOf, textsOf } from "../log/frames.js"

export interface PastTurn {
  readonly turn: number
  /** When it began, in seconds since 1970. */
  readonly ts: number
  /** "" for a turn the agent began by itself. */
  readonly prompt: string
  /** What the agent said, and the names of the tools it called. */
  readonly said: ReadonlyArray<string>
  readonly tools: ReadonlyArray<string>
}

interface Open extends PastTurn {
  readonly said: Array<string>
  readonly tools: Array<string>
}

/** What frames of interest begin with; the others are not read. */
const wanted = /^\{"type":"(?:turn_start|assistant_message|tool_call|status)"/
const longestText = 20_000

const textIn = (metadata: unknown, name: string): unknown =>
  (metadata as Record<string, unknown> | undefined)?.[name]

/** Turns until now, the oldest first. */
export const pastTurns = (log: EventLog["Service"]): Effect.Effect<ReadonlyArray<PastTurn>> =>
  Effect.suspend(() => {
    let turns: Array<Open> = []
    const left = new Map<unknown, Array<Open>>()
    const last = log.lastSeq()
    const take = (event: RelayEvent) => {
      switch (event.type) {
        case "turn_start":
          turns.push({ turn: event.turn ?? 0, ts: event.ts, prompt: event.text ?? "", said: [], tools: [] })
          return
        case "assistant_message":
          if (event.text !== undefined) turns.at(-1)?.said.push(event.text.slice(0, longestText))
          return
        case "tool_call":
          turns.at(-1)?.tools.push(event.tool)
          return
        case "status": {
          const { metadata, status } = event
          if (status === "rewound" && textIn(metadata, "restore") !== "files") {
            left.set(textIn(metadata, "rewind_id"), turns)
            const turn = Number(textIn(metadata, "turn"))
            turns = turns.filter((one) => one.turn < turn)
          }
          if (status === "rewind_undone") turns = left.get(textIn(metadata, "rewind_id")) ?? turns
        }
      }
    }
    if (last === 0) return Effect.succeed([])
    return log.batches(0).pipe(
      Stream.tap((batch) =>
        Effect.sync(() => {
          for (const text of textsOf(batch)) {
            if (wanted.test(text)) take(JSON.parse(text) as RelayEvent)
          }
        })
      ),
      Stream.takeUntil((batch) => lastSeqOf(batch) >= last),
      Stream.runDrain,
      Effect.map(() => turns)
    )
  })

const mostTold = 60_000

/** What was said in these turns, for an agent that has to be told; the newest, as far as there is room. "" for none. */
export const toTold = (turns: ReadonlyArray<PastTurn>): string => {
  const parts: Array<string> = []
  let size = 0
  for (const { prompt, said, tools } of turns.toReversed()) {
    const lines = [
      ...prompt === "" ? [] : [`User: ${prompt}`],
      ...tools.length === 0 ? [] : [`(Assistant used: ${[...new Set(tools)].join(", ")})`],
      ...said.length === 0 ? [] : [`Assistant: ${said.join("\n\n")}`]
    ].join("\n\n")
    if (lines === "") continue
    size += lines.length
    if (size > mostTold && parts.length > 0) {
      parts.push("(What was said before that is left out.)")
      break
    }
    parts.push(lines)
  }
  return parts.length === 0
    ? ""
    : "The user went back to an earlier point of a conversation with you. What was said up to there:\n\n"
      + `<conversation>\n${parts.toReversed().join("\n\n")}\n</conversation>\n\n`
      + "The conversation goes on with this:\n\n"
}
