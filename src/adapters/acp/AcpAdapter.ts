/**
 * AcpAdapter: speaks the Agent Client Protocol v1 with any agent that supports it. One process serves one
 * session.
 *
 * `AcpMessage.ts` describes an agent's updates and `translate.ts` their meaning; this file moves messages.
 * Prompts are sent one at a time, and a turn ends when its prompt is answered. The agent's requests are
 * answered in fibers of their own (`AgentRequests.ts`), because people take minutes.
 */
import { Clock, Deferred, Effect, FiberSet, Layer, Match, Predicate, Result } from "effect"
import type { NativeBlock } from "../../schema/ContentBlock.js"
import {
  type Adapter,
  type AgentCommand,
  type AgentSpec,
  EventSink,
  PermissionGate,
  ProcessSpawner
} from "../Adapter.js"
import { AgentFailed, AuthRequired, CommandRefused } from "../AdapterError.js"
import { AgentAdapter } from "../AgentDescriptor.js"
import { doneSoon } from "../doneSoon.js"
import * as JsonRpcPeer from "../wire/JsonRpcPeer.js"
import { status } from "../wire/statusEvent.js"
import { wordsIn } from "../wire/words.js"
import type { AcpAgent } from "./AcpAgent.js"
import { agentOf, toLaunch } from "./AcpLaunch.js"
import * as AgentRequests from "./AgentRequests.js"
import * as AgentUpdates from "./AgentUpdates.js"
import { whyUnasked } from "./asking.js"
import * as ClientRequests from "./ClientRequests.js"
import { toPromptBlock } from "./content.js"
import { acp } from "./descriptor.js"
import { openConversation } from "./openConversation.js"
import { translateAnswer, translateError } from "./promptAnswer.js"
import { makeState } from "./translate.js"

/** The adapter for any agent described by a handshake. */
export const layer = () => Layer.effect(AgentAdapter, make(acp.tool))

/** The adapter for this agent. */
export const layerOf = (agent: AcpAgent) => Layer.effect(AgentAdapter, make(agent.tool, agent))

/** The adapter for one known agent; without `known`, for the agent each handshake describes. */
export const make = (tool: string, known?: AcpAgent) =>
  Effect.map(ProcessSpawner, ({ spawn }): Adapter => {
    const open = Effect.fnUntraced(function*(spec: AgentSpec) {
      const agent = known ?? (yield* agentOf(spec))
      const launch = toLaunch(agent, spec)
      const sink = yield* EventSink
      const gate = yield* PermissionGate
      const clock = yield* Clock.Clock
      const fork = yield* FiberSet.makeRuntime<never>()
      const loginWanted = yield* Deferred.make<never, AuthRequired>()
      const state = makeState(agent, spec.allowed_modes)
      const updates = AgentUpdates.make({ clock, fork, sink, state })
      const { endSpeech, tell } = updates

      const cancel = Effect.suspend(() => {
        state.cancelling = true
        return peer.notify("session/cancel", { sessionId: state.sessionId })
      })
      const requests = AgentRequests.make({ cancel, gate, threadOf: updates.threadOf, tell })

      const onText = (text: string) => {
        tell([{ type: "stdout", text }])
        if (state.quirks.wantsTerminal?.(text) === true) {
          doneSoon(loginWanted, new AuthRequired({ tool: agent.name, advice: agent.login }))
        }
      }

      const peer: JsonRpcPeer.JsonRpcPeer = yield* JsonRpcPeer.open((onLine) => spawn(launch, onLine), {
        tool: agent.name,
        jsonrpc: true,
        onRequest: requests.onRequest,
        onOther: (line, message) =>
          typeof message === "object" && message !== null
            ? tell([status("unknown", wordsIn(message))], line)
            : onText(line.toString("utf8")),
        onNotification: ({ method, params }, line) => {
          if (method === "session/update") return updates.receive(params, line)
          const fields = Predicate.isObject(params) ? params : {}
          if (method === "$/cancel_request") requests.withdraw(fields["requestId"])
          if (method === "elicitation/complete") requests.complete(fields["elicitationId"])
          tell([status(method, wordsIn(params))], line)
        }
      })

      const conversation = yield* openConversation({
        agent,
        spec,
        state,
        peer,
        onReplay: () => updates.setReplay(true),
        lastHeard: updates.lastHeard
      }).pipe(Effect.raceFirst(Deferred.await(loginWanted)))
      endSpeech()
      const { sessionId } = conversation
      state.sessionId = sessionId
      const { agentCapabilities = {}, agentInfo } = conversation.initialized
      const { choices } = state

      /** The turn is over: close everything it left open. */
      const endTurn = (stopped: boolean) => {
        requests.withdrawAll()
        endSpeech()
        updates.endTurn(stopped)
      }

      const onAnswer: JsonRpcPeer.OnAnswer = (answer, line) => {
        // If the agent is gone, the session reports it and ends the turn.
        if (Result.isFailure(answer) && answer.failure instanceof AgentFailed) return endTurn(true)
        endSpeech()
        const events = Result.match(answer, {
          onFailure: (error) => error instanceof AgentFailed ? [] : translateError(error, agent, state),
          onSuccess: (result) => translateAnswer(result, state)
        })
        const end = events.at(-1)
        endTurn(end?.type === "turn_end" && (end.stop_reason === "cancelled" || end.stop_reason === "error"))
        tell(events.slice(0, -1))
        tell(events.slice(-1), line)
      }

      const prompt = (blocks: ReadonlyArray<NativeBlock>) =>
        Effect.suspend(() => {
          endSpeech()
          // That of a turn in the history.
          if (state.failure !== undefined) tell([status("failure", state.failure)])
          updates.setReplay(false)
          state.speech.forget()
          state.cost_before = state.cost ?? 0
          state.tokens_before = state.tokens
          state.beside = undefined
          state.cancelling = false
          state.failure = undefined
          return peer.post("session/prompt", { sessionId, prompt: blocks }, onAnswer)
        })

      const controls = ClientRequests.make({ agent, folder: spec.folder, peer, sessionId, state, tell })
      const refuse = (reason: string) => new CommandRefused({ reason })

      const send = Match.type<AgentCommand>().pipe(
        Match.discriminatorsExhaustive("type")({
          user_message: ({ content }) => prompt(content.map(toPromptBlock)),
          interrupt: () => cancel,
          set_model: ({ model }) => controls.setModel(model),
          set_permission_mode: ({ mode }) => controls.setMode(mode),
          raw_request: ({ method, params, request_id }) => controls.pass(request_id, method, params),
          control_request: ({ request: { subtype, ...params }, request_id }) =>
            controls.pass(request_id, subtype, params),
          control_response: ({ response: { request_id } }) =>
            refuse(`${agent.name} is not waiting for an answer to the request "${request_id}"`),
          resize: () => refuse(`${agent.name} does not run in a terminal here`),
          stdin: () => refuse(`${agent.name} does not run in a terminal here`)
        })
      )

      tell([status("initialized", undefined, toOffer(choices))])
      const mode = choices.mode()?.current
      const unasked = whyUnasked(agent, mode)
      return {
        started: {
          cmd: [launch.command, ...launch.args],
          native_session_id: spec.native_session_id ?? sessionId,
          resumed: spec.native_session_id !== undefined,
          capabilities: {
            images: agentCapabilities.promptCapabilities?.image === true,
            steer: false,
            // The agent may offer different ones later, for example on another model.
            get set_model() {
              return choices.model() !== undefined
            },
            get permission_modes() {
              return choices.modeNames()
            },
            resume: agentCapabilities.loadSession === true ||
              agentCapabilities.sessionCapabilities?.resume !== undefined,
            terminal: false
          },
          metadata: {
            ...(agentInfo !== undefined && { agent: agentInfo }),
            ...(mode !== undefined && { permission_mode: mode }),
            ...(unasked !== undefined && { unasked })
          }
        },
        native: ClientRequests.nativeRules(spec.folder),
        send,
        exit: Effect.tap(peer.exit, () => Effect.sync(endSpeech))
      }
    })
    return { tool, open }
  })

/** Models and modes for menus; models are spelled as in Claude. */
const toOffer = (choices: ReturnType<typeof makeState>["choices"]): Record<string, unknown> => {
  const model = choices.model()
  const mode = choices.mode()
  return {
    ...(model && {
      model: model.current,
      models: model.offered.map(({ description = "", id, name }) => ({
        value: id,
        displayName: name,
        description
      }))
    }),
    ...(mode && { permission_mode: mode.current, modes: mode.offered }),
    ...(choices.options().length > 0 && { options: choices.options() })
  }
}
