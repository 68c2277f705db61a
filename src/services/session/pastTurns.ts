/**
 * pastTurns: the turns in a session's log that still count: those removed by a rewind are left out.
 */
import { Effect, Stream } from "effect"
import type { RelayEvent } from "../../schema/index.js"
import type { EventLog } from "../log/EventLog.js"
import { lastSeqOf, textsOf } from "../log/frames.js"

export interface PastTurn {
  readonly turn: number
  /** When it began, in seconds since 1970. */
  readonly ts: number
  /** "" for a turn that the agent began by itself. */
  readonly prompt: string
  /** The agent's messages, and the names of the tools it called. */
  readonly said: ReadonlyArray<string>
  readonly tools: ReadonlyArray<string>
}

interface Open extends PastTurn {
  readonly said: Array<string>
  readonly tools: Array<string>
}

/** How relevant frames begin; others are not parsed. */
const wanted = /^\{"type":"(?:turn_start|assistant_message|tool_call|status)"/
const longestText = 20_000

const textIn = (metadata: unknown, name: string): unknown =>
  (metadata as Record<string, unknown> | undefined)?.[name]

/** Calls `take` with every event so far whose frame matches. */
const eachOf = (log: EventLog["Service"], wanted: RegExp, take: (event: RelayEvent) => void) =>
  Effect.suspend(() => {
    const last = log.lastSeq()
    if (last === 0) return Effect.void
    return log.batches(0).pipe(
      Stream.tap((batch) =>
        Effect.sync(() => {
          for (const text of textsOf(batch)) {
            if (wanted.test(text)) take(JSON.parse(text) as RelayEvent)
          }
        })
      ),
      Stream.takeUntil((batch) => lastSeqOf(batch) >= last),
      Stream.runDrain
    )
  })

/** The turns so far, oldest first. */
export const pastTurns = (log: EventLog["Service"]): Effect.Effect<ReadonlyArray<PastTurn>> =>
  Effect.suspend(() => {
    let turns: Array<Open> = []
    const left = new Map<unknown, Array<Open>>()
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
    return Effect.map(eachOf(log, wanted, take), () => turns)
  })

export interface LastRewind {
  /** Its number among all rewinds, including undone ones. */
  readonly number: number
  readonly rewind_id: string
  readonly turn: number
  /** The conversation it left, if only the conversation was rewound and that was not undone. */
  readonly before: string | undefined
}

/** The last rewind of a session; undefined if there was none. */
export const lastRewind = (log: EventLog["Service"]): Effect.Effect<LastRewind | undefined> =>
  Effect.suspend(() => {
    let number = 0
    let found: LastRewind | undefined
    return eachOf(log, /^\{"type":"status"/, (event) => {
      if (event.type !== "status") return
      const { metadata, status } = event
      if (status === "rewound") {
        number += 1
        const before = textIn(metadata, "before_native_session_id")
        found = {
          number,
          rewind_id: String(textIn(metadata, "rewind_id")),
          turn: Number(textIn(metadata, "turn")),
          before: typeof before === "string" && textIn(metadata, "restore") === "conversation"
            ? before
            : undefined
        }
      }
      if (found !== undefined && status === "rewind_undone") found = { ...found, before: undefined }
    }).pipe(Effect.map(() => found))
  })

const mostTold = 60_000

/** A text that tells an agent what was said in these turns, the newest as far as they fit; "" without turns. */
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
      parts.push("(Earlier turns are left out.)")
      break
    }
    parts.push(lines)
  }
  return parts.length === 0
    ? ""
    : "The user went back to an earlier point of a conversation with you. This was said up to that point:\n\n"
      + `<conversation>\n${parts.toReversed().join("\n\n")}\n</conversation>\n\n`
      + "The conversation continues with this:\n\n"
}
