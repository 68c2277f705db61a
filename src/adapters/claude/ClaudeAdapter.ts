/**
 * ClaudeAdapter: speaks to Claude Code over its stream-json pipes. One process serves a whole session.
 *
 * `ClaudeMessage.ts` says what a native message looks like, `translate.ts` what it means: synchronous, called for every
 * line. This file moves messages. What the CLI asks us is answered in fibers of its own, because people take minutes;
 * each starts in the step its line is read, so that a question is logged where it was asked.
 */
import { Context, Effect, FiberSet, Layer, Match, Option, Schema } from "effect"
import { isUtf8 } from "node:buffer"
import { RequestId } from "../../schema/Ids.js"
import {
  type Adapter,
  type AgentCommand,
  type AgentSpec,
  type Encoding,
  EventSink,
  PermissionGate,
  ProcessSpawner
} from "../Adapter.js"
import { CommandRefused } from "../AdapterError.js"
import * as ClaudeControl from "./ClaudeControl.js"
import { modesOf, toLaunch } from "./ClaudeLaunch.js"
import { CanUseTool, ClaudeMessage, type ControlRequest } from "./ClaudeMessage.js"
import { makeState } from "./ClaudeState.js"
import { toAnswer, toPermissionRequest } from "./permission.js"
import { readPiece, toPieceEvent } from "./streamEvent.js"
import { translate } from "./translate.js"
import { readWholeMessage } from "./wholeMessage.js"

export class ClaudeAdapter
  extends Context.Service<ClaudeAdapter, Adapter>()("ai-relay/adapters/ClaudeAdapter")
{
  static readonly layer = Layer.effect(this, Effect.suspend(() => make))
}

const readMessage = Schema.decodeUnknownOption(Schema.fromJsonString(ClaudeMessage))
const readObject = Schema.decodeUnknownOption(
  Schema.fromJsonString(Schema.Record(Schema.String, Schema.Unknown))
)
const readCanUseTool = Schema.decodeUnknownOption(CanUseTool)

const make = Effect.gen(function*() {
  const spawner = yield* ProcessSpawner

  const open = Effect.fn("ClaudeAdapter.open")(function*(spec: AgentSpec) {
    const sink = yield* EventSink
    const gate = yield* PermissionGate
    const fork = yield* FiberSet.makeRuntime<never>()
    const state = makeState(sink.inTurn)
    const launch = yield* toLaunch(spec)
    const modes = modesOf(spec)

    /** A line that is none of the messages we know still reaches the client. */
    const tellUnknown = (line: Buffer) =>
      Option.match(readObject(line.toString("utf8")), {
        onNone: () => sink.emit({ type: "stdout", text: line.toString("utf8") }),
        onSome: ({ type }) =>
          sink.emit({ type: "status", status: typeof type === "string" ? type : "unknown" }, line)
      })

    const tell = (message: ClaudeMessage, line: Buffer, encoding?: Encoding) => {
      const [first, ...others] = translate(message, state)
      if (first !== undefined) sink.emit(first, line, encoding)
      for (const event of others) sink.emit(event, undefined, encoding)
    }

    const onLine = (printed: Buffer): void => {
      const piece = readPiece(printed)
      if (piece !== undefined) return sink.splice(toPieceEvent(piece, state), piece.text, printed)
      const whole = readWholeMessage(printed)
      if (whole !== undefined) return tell(whole, printed, "latin1")
      const text = printed.toString("utf8")
      // A client would close the connection at a frame that is not UTF-8.
      const line = isUtf8(printed) ? printed : Buffer.from(text)
      const message = Option.getOrUndefined(readMessage(text))
      if (message === undefined) return tellUnknown(line)
      switch (message.type) {
        case "control_request":
          return void fork(answer(message, line))
        case "control_cancel_request":
          return gate.withdraw(RequestId.make(message.request_id))
        case "control_response":
          return control.settle(message.response, line)
      }
      tell(message, line)
    }

    const agent = yield* spawner.spawn(launch.spec, onLine)
    const write = (message: object) => agent.writeLine(JSON.stringify(message))
    const control = ClaudeControl.make({ sink, write })

    const reply = (request_id: string, response: object) =>
      write({ type: "control_response", response: { subtype: "success", request_id, response } })
    const refuse = (request_id: string, error: string) =>
      write({ type: "control_response", response: { subtype: "error", request_id, error } })

    /** Every request is answered: an open one would stop Claude for ever. */
    const answer = Effect.fn("ClaudeAdapter.answer")(
      function*({ request, request_id }: ControlRequest, line: Buffer) {
        const ask = readCanUseTool(request)
        if (Option.isSome(ask)) {
          const outcome = yield* gate.request(toPermissionRequest(request_id, ask.value, modes), line)
          const response = toAnswer(ask.value, outcome, modes)
          return response === undefined ? undefined : yield* reply(request_id, response)
        }
        sink.emit({ type: "status", status: "control_request", text: request.subtype }, line)
        yield* request.subtype === "request_user_dialog"
          ? reply(request_id, { behavior: "cancelled" })
          : refuse(request_id, `ai-relay does not support the request "${request.subtype}"`)
      },
      Effect.ignore({ log: true })
    )

    const send = Match.type<AgentCommand>().pipe(
      Match.discriminatorsExhaustive("type")({
        user_message: ({ content, uuid }) => {
          const [only, ...more] = content
          state.unread_prompt = uuid
          return write({
            type: "user",
            message: {
              role: "user",
              content: only.type === "text" && more.length === 0 ? only.text : content
            },
            uuid,
            session_id: "",
            parent_tool_use_id: null
          })
        },
        interrupt: () => Effect.asVoid(control.post({ subtype: "interrupt" })),
        set_model: ({ model }) =>
          Effect.andThen(
            control.ask({ subtype: "set_model", model }),
            Effect.sync(() => sink.emit({ type: "status", status: "model", metadata: { model } }))
          ),
        // Claude confirms it by a status of its own.
        set_permission_mode: ({ mode }) =>
          Effect.asVoid(control.ask({ subtype: "set_permission_mode", mode })),
        control_request: ({ request, request_id }) => control.pass(request_id, request),
        raw_request: ({ method, params, request_id }) =>
          control.pass(request_id, { ...params, subtype: method }),
        control_response: ({ response: { request_id } }) =>
          new CommandRefused({ reason: `Claude Code waits for no answer to the request "${request_id}"` }),
        resize: () => new CommandRefused({ reason: "Claude Code does not run on a terminal here" }),
        stdin: () => new CommandRefused({ reason: "Claude Code does not run on a terminal here" })
      })
    )

    // Its answer tells a page what models and commands there are; asking now also warms the CLI up.
    yield* Effect.forkScoped(
      Effect.ignore(
        Effect.flatMap(
          control.ask({ subtype: "initialize" }),
          (response) =>
            Effect.sync(() =>
              sink.emit({ type: "status", status: "initialized", metadata: toOffer(response) })
            )
        )
      )
    )

    return {
      started: {
        cmd: [launch.spec.command, ...launch.spec.args],
        resumed: spec.native_session_id !== undefined,
        ...(launch.native_session_id !== undefined && { native_session_id: launch.native_session_id }),
        capabilities: {
          images: true,
          steer: true,
          set_model: true,
          permission_modes: modes,
          resume: true,
          terminal: false
        }
      },
      native: ClaudeControl.nativeRules,
      send,
      exit: agent.exit
    }
  })

  return ClaudeAdapter.of({ tool: "claude", open })
})

/** Models and commands, for menus; the rest of the answer is about the user's account. */
const toOffer = (response: unknown): Record<string, unknown> => {
  const { commands, models } = (typeof response === "object" && response !== null ? response : {}) as Record<
    string,
    unknown
  >
  return { commands, models }
}
