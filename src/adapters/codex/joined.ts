/**
 * joined: continues a thread that Codex's own daemon has open for a terminal, alongside that terminal.
 *
 * Each client of the daemon gets everything about the thread, both the terminal's turns and ours, in one
 * order. When the session joins in the middle of a turn, it requests the turn's earlier items, and each item
 * is reported once. A turn of the terminal begins for the session once its prompt is known.
 */
import { Effect, Option, Schema } from "effect"
import type { EventBody } from "../../schema/index.js"
import type { JsonRpcNotification } from "../wire/JsonRpc.js"
import type { JsonRpcPeer } from "../wire/JsonRpcPeer.js"
import { id, items, text, withFallback } from "../wire/lenient.js"
import { AnyItem } from "./CodexMessage.js"
import { patience } from "./connect.js"
import { completedItem, startedItem } from "./items.js"
import type { CodexState } from "./translate.js"

const readTurns = Schema.decodeUnknownOption(Schema.Struct({
  data: withFallback(
    items(Schema.Struct({ id, status: text, items: withFallback(items(AnyItem), []) })),
    []
  )
}))

const readParams = Schema.decodeUnknownOption(Schema.Struct({
  params: Schema.Struct({
    threadId: Schema.optionalKey(Schema.Unknown),
    item: Schema.optionalKey(AnyItem),
    turn: Schema.optionalKey(Schema.Struct({ id, items: withFallback(items(AnyItem), []) }))
  })
}))

/** Events that show something happening in a turn. */
const ofTurn: ReadonlySet<EventBody["type"]> = new Set(
  [
    "user_message",
    "assistant_message",
    "reasoning",
    "tool_call",
    "tool_result",
    "file_diff",
    "response",
    "turn_end"
  ]
)

const isDone = (item: AnyItem): boolean =>
  typeof item["completedAtMs"] === "number"
  || (item["completedAtMs"] === undefined && item["status"] !== "inProgress")

type Handle = (message: JsonRpcNotification, line: Buffer) => void

interface Parts {
  readonly state: CodexState
  readonly inTurn: () => boolean
  readonly emit: (event: EventBody, line?: Buffer) => void
  /** How a regular session handles a notification. */
  readonly handle: Handle
}

export const makeJoined = ({ emit, handle, inTurn, state }: Parts) => {
  /** Ids of items already reported. */
  const told = new Set<string>()
  /** For the turn that was running before: what the snapshot showed of it. */
  const begun = new Set<string>()
  const done = new Set<string>()
  let held: Array<{ readonly message: JsonRpcNotification; readonly line: Buffer }> | undefined = []
  /** A turn has begun that is not reported yet. */
  let pending: Buffer | boolean = false

  const begin = (said: string | undefined) => {
    const line = pending
    pending = false
    emit(
      {
        type: "turn_start",
        ...(said !== undefined && said !== "" && { text: said }),
        metadata: { origin: "terminal" }
      },
      Buffer.isBuffer(line) ? line : undefined
    )
  }

  /** In the session's terms: no turn begins before its prompt is known. */
  const tell = (events: ReadonlyArray<EventBody>, line?: Buffer): void =>
    events.forEach((event, index) => {
      if (event.type === "turn_start") {
        pending = line ?? true
        return
      }
      if (pending !== false && ofTurn.has(event.type)) {
        begin(event.type === "user_message" ? event.text : undefined)
      }
      emit(event, index === 0 ? line : undefined)
    })

  const partsOf = (message: JsonRpcNotification) => Option.getOrUndefined(readParams(message))?.params

  const take: Handle = (message, line) => {
    const { item, turn } = partsOf(message) ?? {}
    if (item !== undefined) {
      const isStart = message.method === "item/started"
      if (done.has(item.id) || (isStart && begun.has(item.id))) return
      told.add(item.id)
    }
    if (message.method === "turn/completed" && turn !== undefined) {
      // Items from before anybody listened.
      for (const left of turn.items) {
        if (told.has(left.id) || !inTurn()) continue
        told.add(left.id)
        tell([...startedItem(left, undefined, state), ...completedItem(left, undefined, state)])
      }
    }
    handle(message, line)
  }

  /** The turn that was running when the thread was joined, as far as it was not reported. */
  const tellRunning = (answer: unknown) => {
    const early = held ?? []
    const { data: [turn] = [] } = Option.getOrElse(readTurns(answer), () => ({ data: [] }))
    const tells = (method: string) =>
      early.some(({ message }) => message.method === method && partsOf(message)?.turn?.id === turn?.id)
    const ran = turn !== undefined && !tells("turn/started")
      && (turn.status === "inProgress" || tells("turn/completed"))
    if (!ran) return
    state.turns.started(turn.id, false)
    tell([{ type: "turn_start" }])
    for (const item of turn.items) {
      told.add(item.id)
      begun.add(item.id)
      const events = startedItem(item, undefined, state)
      if (!isDone(item)) {
        tell(events)
        continue
      }
      done.add(item.id)
      tell([...events, ...completedItem(item, undefined, state)])
    }
  }

  return {
    tell,
    /** A text delta: its turn has begun. */
    onPiece: () => {
      if (pending !== false) begin(undefined)
    },
    onNotification: (message: JsonRpcNotification, line: Buffer): void => {
      if (held === undefined) take(message, line)
      else held.push({ message, line })
    },
    isHolding: () => held !== undefined,
    /** After joining the thread: report the running turn, then everything received since. */
    catchUp: (peer: JsonRpcPeer, threadId: string) =>
      peer.request(
        "thread/turns/list",
        { threadId, limit: 1, sortDirection: "desc", itemsView: "full" },
        { within: patience }
      ).pipe(
        // An older Codex does not return the thread's turns; the running turn is then reported from here on.
        Effect.orElseSucceed(() => undefined),
        Effect.map((answer) => {
          tellRunning(answer)
          const early = held ?? []
          held = undefined
          for (const { line, message } of early) take(message, line)
        })
      ),
    hasTold: (key: string) => told.has(key)
  }
}

export type Joined = ReturnType<typeof makeJoined>
