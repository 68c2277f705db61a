/**
 * ClaudeControl: sends control requests to Claude and matches its answers.
 */
import { Deferred, Effect } from "effect"
import type { RequestId } from "../../schema/Ids.js"
import type { EventSink, NativeRules } from "../Adapter.js"
import { type AgentFailed, CommandRefused } from "../AdapterError.js"
import { doneSoon } from "../doneSoon.js"
import { shown, wordsIn } from "../wire/words.js"
import { permissionModes } from "./ClaudeLaunch.js"
import type { ControlResponse } from "./ClaudeMessage.js"

type Answer = ControlResponse["response"]
type Request = { readonly subtype: string; readonly [field: string]: unknown }

/** Claude answers within milliseconds; this limit is for one that hangs. */
const patience = "10 seconds"

/**
 * Excluded are requests that run programs (`mcp_…`), read files (`read_file`), show or change the user's
 * settings (`get_settings`, `apply_flag_settings`), or belong to the relay (`initialize`, which also sets
 * hooks).
 */
export const nativeRules: NativeRules = {
  harmless: {
    interrupt: [],
    set_model: ["model"],
    set_permission_mode: ["mode"],
    set_max_thinking_tokens: ["max_thinking_tokens", "thinking_display"],
    get_context_usage: [],
    get_usage: [],
    get_session_cost: [],
    get_binary_version: [],
    rename_session: ["title"],
    cancel_async_message: ["message_uuid"],
    stop_task: ["task_id"],
    background_tasks: ["tool_use_id"]
  },
  modes: { set_permission_mode: "mode" },
  instead: { initialize: "the relay has done it" }
}

interface Parts {
  readonly sink: EventSink["Service"]
  readonly write: (message: object) => Effect.Effect<void, AgentFailed>
}

export const make = ({ sink, write }: Parts) => {
  const waiting = new Map<string, (answer: Answer, line: Buffer) => void>()
  let asked = 0

  const request = (request_id: string, fields: Request) =>
    write({ type: "control_request", request_id, request: fields })

  /** Send a request and ignore the answer. */
  const post = (fields: Request) =>
    Effect.suspend(() => {
      const request_id = `ai-relay-${++asked}`
      waiting.set(request_id, () => {})
      return request(request_id, fields)
    })

  /** Send a request and wait for the answer. */
  const ask = (fields: Request) =>
    Effect.gen(function*() {
      const answered = yield* Deferred.make<Answer>()
      const request_id = `ai-relay-${++asked}`
      waiting.set(request_id, (answer) => doneSoon(answered, Effect.succeed(answer)))
      yield* request(request_id, fields)
      const answer = yield* Deferred.await(answered).pipe(
        Effect.timeoutOrElse({
          duration: patience,
          orElse: () =>
            Effect.fail(
              new CommandRefused({
                reason: `Claude Code did not answer "${fields.subtype}" within ${patience}`
              })
            )
        }),
        Effect.ensuring(Effect.sync(() => waiting.delete(request_id)))
      )
      if (answer.subtype !== "success") {
        return yield* new CommandRefused({
          reason: wordsIn(answer.error) ?? `Claude Code refused "${fields.subtype}"`
        })
      }
      return answer.response
    })

  /** Forward a client's request. Its answer becomes a `control_response` event. */
  const pass = (request_id: RequestId, fields: Request) =>
    Effect.suspend((): Effect.Effect<void, AgentFailed | CommandRefused> => {
      // Claude would accept any mode without an error.
      if (
        fields.subtype === "set_permission_mode" && !permissionModes.some((mode) => mode === fields["mode"])
      ) {
        return new CommandRefused({ reason: `\`request.mode\` must be one of ${permissionModes.join(", ")}` })
      }
      if (waiting.has(request_id)) {
        return new CommandRefused({ reason: `the request_id "${request_id}" is in use: choose another` })
      }
      waiting.set(request_id, (answer, line) =>
        sink.emit({
          type: "control_response",
          request_id,
          status: answer.subtype === "success" ? "ok" : "error",
          ...(answer.error !== undefined && { text: shown(answer.error) ?? "" }),
          ...(answer.response !== undefined && { content: answer.response })
        }, line))
      return request(request_id, fields)
    })

  /** Handle an answer. Claude also echoes our answers to its questions; those are ignored. */
  const settle = (answer: Answer, line: Buffer): void => {
    const { request_id = "" } = answer
    const take = waiting.get(request_id)
    waiting.delete(request_id)
    take?.(answer, line)
  }

  return { ask, pass, post, settle }
}
