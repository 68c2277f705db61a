/**
 * ClientRequests: client requests to an agent other than prompts: change the mode or the model, or send
 * native requests.
 */
import { Effect, Predicate, Result } from "effect"
import type { RequestId } from "../../schema/Ids.js"
import type { EventBody } from "../../schema/index.js"
import type { NativeRules } from "../Adapter.js"
import { type AgentFailed, CommandRefused } from "../AdapterError.js"
import type { JsonRpcError } from "../wire/JsonRpc.js"
import type { JsonRpcPeer, RequestTimedOut } from "../wire/JsonRpcPeer.js"
import { status } from "../wire/statusEvent.js"
import type { AcpAgent } from "./AcpAgent.js"
import { type ChoiceRequest, configOptionsOf } from "./choices.js"
import { reasonOf } from "./refusal.js"
import { type AcpState, configured } from "./translate.js"

/** Agents answer within milliseconds; this limit is for one that hangs. */
const patience = "10 seconds"

/** These would take the conversation away from the relay, so they never pass. */
const ownRequests: Readonly<Record<string, string>> = {
  "initialize": "the relay has done it",
  "session/new": "open another session of the relay instead",
  "session/load": "open a session with `native_session_id` instead",
  "session/resume": "open a session with `native_session_id` instead",
  "session/fork": "open a session with `native_session_id` instead",
  "session/close": "send {\"type\":\"end\"} instead",
  "session/prompt": "send a prompt as {\"text\":\"…\"} instead",
  "session/cancel": "send {\"type\":\"interrupt\"} instead"
}

/** Listing conversations is limited to the session's own folder. */
export const nativeRules = (folder: string): NativeRules => ({
  harmless: { "session/list": ["cursor"] },
  own: { "session/list": { cwd: folder } },
  instead: {
    ...ownRequests,
    "session/set_mode": "send {\"type\":\"set_permission_mode\",\"mode\":\"…\"} instead",
    "session/set_model": "send {\"type\":\"set_model\",\"model\":\"…\"} instead"
  }
})

/** Some agents list all conversations regardless of the requested folder. */
const onlyOf = (folder: string, method: string, content: unknown): unknown => {
  if (method !== "session/list" || !Predicate.isObject(content)) return content
  const { sessions } = content as { readonly sessions?: unknown }
  return {
    ...content,
    sessions: Array.isArray(sessions)
      ? sessions.filter((session: unknown) => Predicate.hasProperty(session, "cwd") && session.cwd === folder)
      : []
  }
}

interface Parts {
  readonly agent: AcpAgent
  /** The session's folder. */
  readonly folder: string
  readonly state: AcpState
  readonly peer: JsonRpcPeer
  readonly sessionId: string
  readonly tell: (events: ReadonlyArray<EventBody>, line?: Buffer) => void
}

const describe = (refusal: JsonRpcError | AgentFailed | RequestTimedOut): string =>
  refusal._tag === "JsonRpcError" ? reasonOf(refusal) : refusal.message

type Sent = Effect.Effect<void, AgentFailed | CommandRefused>

export interface ClientRequests {
  readonly setModel: (model: string) => Sent
  readonly setMode: (mode: string) => Sent
  /** Forward a request; its answer becomes a `control_response` event. */
  readonly pass: (
    request_id: RequestId,
    method: string,
    params: Readonly<Record<string, unknown>> | undefined
  ) => Sent
}

export const make = ({ agent, folder, peer, sessionId, state, tell }: Parts): ClientRequests => {
  const { choices } = state
  const open = new Set<RequestId>()

  const refuse = (reason: string) => new CommandRefused({ reason })

  const toRefusal = (refusal: JsonRpcError | AgentFailed | RequestTimedOut) =>
    refusal._tag === "AgentFailed" ? refusal : refuse(describe(refusal))

  const choose = ({ method, params }: ChoiceRequest): Sent =>
    Effect.mapError(
      Effect.map(peer.request(method, { sessionId, ...params }, { within: patience }), choices.chosen),
      toRefusal
    )

  const setModel = (name: string): Sent =>
    Effect.suspend(() => {
      const setting = choices.model()
      if (setting === undefined) return refuse(`${agent.name} does not offer a choice of models`)
      const model = choices.toModel(name)
      return Effect.map(choose(setting.choose(model)), () => {
        choices.nowOnModel(model)
        tell([status("model", undefined, { model })])
      })
    })

  const setMode = (name: string): Sent =>
    Effect.suspend(() => {
      const setting = choices.mode()
      if (setting === undefined) return refuse(`${agent.name} has no permission modes`)
      const mode = choices.toMode(name)
      const told = state.modes_told
      return Effect.map(choose(setting.choose(mode)), () => {
        choices.nowInMode(mode)
        // Some agents report the change themselves.
        if (state.modes_told === told) tell([status("permission_mode", undefined, { permission_mode: mode })])
      })
    })

  const pass: ClientRequests["pass"] = (request_id, method, params) =>
    Effect.suspend((): Sent => {
      const instead = Object.hasOwn(ownRequests, method) ? ownRequests[method] : undefined
      if (instead !== undefined) return refuse(`"${method}" is reserved for the relay: ${instead}`)
      if (params?.["sessionId"] !== undefined && params["sessionId"] !== sessionId) {
        return refuse("requests always apply to this session: leave `sessionId` out of the parameters")
      }
      if (open.has(request_id)) return refuse(`the request_id "${request_id}" is in use: choose another`)
      open.add(request_id)
      return peer.post(method, { ...params, sessionId }, (answer, line) => {
        open.delete(request_id)
        if (method === "session/set_config_option" && Result.isSuccess(answer)) {
          const options = configOptionsOf(answer.success)
          if (options !== undefined) tell(configured(options, state))
        }
        tell([
          Result.match(answer, {
            onFailure: (error) => ({
              type: "control_response",
              request_id,
              status: "error",
              text: describe(error)
            }),
            onSuccess: (answer) => {
              const content = onlyOf(folder, method, answer)
              return {
                type: "control_response",
                request_id,
                status: "ok",
                ...(content !== undefined && content !== null && { content })
              }
            }
          })
          // The agent's line would reveal what was filtered out.
        ], method === "session/list" ? undefined : line)
      })
    })

  return { setModel, setMode, pass }
}
