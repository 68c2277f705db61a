/**
 * SessionSink: the port through which an agent's events enter the session's log.
 *
 * Events before `session_start` are held back until that is logged. Starts and ends of turns go through `Turns`, so that
 * clients see them in pairs; one without its counterpart becomes a `status`, so that nothing is lost.
 */
import { Effect } from "effect"
import type { Encoding, EventSink } from "../../adapters/Adapter.js"
import type { BodyOf, EventBody } from "../../schema/index.js"
import { cutSecrets } from "../access/cutSecrets.js"
import type { BudgetGuard } from "../budget/BudgetGuard.js"
import type { VendorLimit } from "../budget/VendorLimit.js"
import { EventLog } from "../log/EventLog.js"
import type { Turn, Turns } from "./Turn.js"

type Port = EventSink["Service"]

export interface SessionSink extends Port {
  /** Logs `session_start`. */
  readonly start: (event: EventBody) => void
  /** Logs what was held back; from now on everything is logged at once. */
  readonly release: () => void
  /** The agent is gone: gives its open tool calls a result. */
  readonly settleCalls: () => void
  /** The agent's own id of the conversation, once it has reported it. */
  readonly native_session_id: () => string | undefined
  /** Model, mode and available choices, as last reported by the agent. */
  readonly settings: () => Settings
}

/** Fields in the metadata of `session_start`. */
type Settings = Readonly<Record<string, unknown>>

interface Options {
  readonly turns: Turns
  readonly guard: Pick<BudgetGuard, "notice">
  readonly limit: Pick<VendorLimit, "notice">
  /** The agent began a turn by itself. */
  readonly onTurn: (turn: Turn) => void
}

export const make = ({ guard, limit, turns, onTurn }: Options): Effect.Effect<SessionSink, never, EventLog> =>
  Effect.map(EventLog, (log) => {
    let native_session_id: string | undefined
    let told: Settings = {}
    let held: Array<() => void> | undefined = []
    /** Tool calls without a result. */
    const calls = new Set<string>()

    const unpaired = (event: EventBody, raw?: Uint8Array) =>
      log.unsafeAppend({
        type: "status",
        status: event.type,
        ...("metadata" in event && { metadata: event.metadata })
      }, raw)

    const emit = (event: EventBody, raw?: Uint8Array, encoding?: Encoding): void => {
      if (event.type === "status") told = { ...told, ...settingsIn(event.metadata) }
      if (held !== undefined) return void held.push(() => emit(event, raw, encoding))
      switch (event.type) {
        case "turn_start":
          return turns.current() === undefined ? onTurn(turns.begin(event, raw)) : unpaired(event, raw)
        case "turn_end":
          return turns.end(event, raw) ? undefined : unpaired(event, raw)
        case "tool_call":
          calls.add(event.tool_use_id)
          break
        case "tool_result":
          calls.delete(event.tool_use_id)
          break
        case "quota_warning":
          limit.notice(event)
          break
        case "control_response": {
          const shown = cutSecrets(event)
          return log.unsafeAppend(shown, shown === event ? raw : undefined, encoding)
        }
        case "status":
          native_session_id = nativeId(event.metadata) ?? native_session_id
      }
      log.unsafeAppend(event, raw, encoding)
      if (event.metadata !== undefined) guard.notice(event.metadata)
    }

    const splice = (event: BodyOf<"stream_event">, text: Uint8Array, raw: Uint8Array): void => {
      if (held !== undefined) return void held.push(() => splice(event, text, raw))
      log.unsafeSplice(event, text, raw)
    }

    const start = (event: EventBody) => log.unsafeAppend(event)

    const release = () =>
      void log.unsafeBatch(() => {
        const early = held ?? []
        held = undefined
        for (const replay of early) replay()
      })

    const settleCalls = () => {
      for (const tool_use_id of calls) {
        log.unsafeAppend({ type: "tool_result", tool_use_id, status: "error", text: unfinished })
      }
      calls.clear()
    }

    return {
      emit,
      settleCalls,
      splice,
      batch: log.unsafeBatch,
      onceDrained: log.unsafeOnceDrained,
      inTurn: () => turns.current() !== undefined,
      start,
      release,
      native_session_id: () => native_session_id,
      settings: () => told
    }
  })

const unfinished = "The session ended before this tool finished."

const nativeId = (metadata: Readonly<Record<string, unknown>> | undefined): string | undefined => {
  const id = metadata?.["native_session_id"]
  return typeof id === "string" ? id : undefined
}

const settingNames = ["model", "models", "permission_mode", "commands"]

/** Settings in an event's metadata; those of a subagent do not count. */
const settingsIn = (metadata: Settings = {}): Settings =>
  metadata["parent_tool_use_id"] !== undefined ? {} : Object.fromEntries(
    settingNames.flatMap((name) => metadata[name] === undefined ? [] : [[name, metadata[name]]])
  )
