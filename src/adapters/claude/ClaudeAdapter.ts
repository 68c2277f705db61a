/**
 * ClaudeAdapter: talks to Claude Code over its stream-json pipes. One process serves a whole session.
 *
 * `ClaudeMessage.ts` describes native messages and `translate.ts`, synchronous and called for every line,
 * their meaning; this file moves messages. The CLI's requests are answered in fibers of their own, because
 * people take minutes. Each fiber starts in the step that reads the line, so that a question is logged where
 * it was asked.
 */
import { Deferred, Effect, FiberSet, Layer, Match, Option, Schema } from "effect"
import { isUtf8 } from "node:buffer"
import { RequestId } from "../../schema/Ids.js"
import { textOf } from "../../schema/index.js"
import {
  type AgentCommand,
  type AgentSpec,
  type Encoding,
  EventSink,
  PermissionGate,
  ProcessSpawner
} from "../Adapter.js"
import { AgentFailed, CommandRefused, ConversationGone } from "../AdapterError.js"
import { AgentAdapter } from "../AgentDescriptor.js"
import { toClaudeServers } from "../mcpServers.js"
import { encodeLine } from "../wire/encodeLine.js"
import { status } from "../wire/statusEvent.js"
import { wordsIn } from "../wire/words.js"
import * as ClaudeControl from "./ClaudeControl.js"
import { modesOf, toLaunch } from "./ClaudeLaunch.js"
import {
  CanUseTool,
  type ClaudeMessage,
  type ControlRequest,
  Elicitation,
  noNews,
  readFields,
  readMessage,
  type Result,
  type System
} from "./ClaudeMessage.js"
import { makeState } from "./ClaudeState.js"
import { claude } from "./descriptor.js"
import { toServerAnswer, toServerQuestion } from "./elicitation.js"
import { toAnswer, toPermissionRequest } from "./permission.js"
import { type Piece, readPiece, toPieceEvent } from "./streamEvent.js"
import { serverFailed } from "./system.js"
import { begunBy, fieldsIn, isOfMainThread, ownTurn, takeEarly, translate } from "./translate.js"
import { readWholeMessage } from "./wholeMessage.js"

export const layer = () => Layer.effect(AgentAdapter, make)

const readCanUseTool = Schema.decodeUnknownOption(CanUseTool)
const readElicitation = Schema.decodeUnknownOption(Elicitation)

/** The relay's name for a Claude request that has an id of its own, whatever its type. */
const requestIdOf = (id: unknown): RequestId =>
  RequestId.make(
    typeof id === "string" && id !== "" && id.length <= 256
      ? id
      : `claude-${JSON.stringify(id)}`.slice(0, 256)
  )

/** Turns Claude begins on its own start at once; one that has not started after this long is given up. */
const silence = "10 seconds"

const make = Effect.gen(function*() {
  const spawner = yield* ProcessSpawner

  const open = Effect.fnUntraced(function*(spec: AgentSpec) {
    const sink = yield* EventSink
    const gate = yield* PermissionGate
    const fork = yield* FiberSet.makeRuntime<never>()
    const launch = yield* toLaunch(spec)
    const modes = modesOf(spec)
    const state = makeState(sink.inTurn, launch.resumes)
    /** Whether a past conversation is being resumed, and whether it was not found. */
    const lost = { isSought: launch.resumes, isGone: false }

    /** A line of unknown type still reaches the client, with any text it has for people. */
    const tellUnknown = (fields: Readonly<Record<string, unknown>>, line: Buffer) => {
      const { type } = fields
      if (typeof type === "string" && noNews.has(type)) return
      // The running total starts anew, and so does the context.
      if (type === "conversation_reset" && fields["trigger"] === "clear") {
        state.cost = 0
        state.context_tokens = 0
      }
      sink.emit(status(typeof type === "string" ? type : "unknown", wordsIn(fields)), line)
    }

    const tell = (message: ClaudeMessage, line: Buffer, encoding?: Encoding) => {
      if (isOfMainThread(message)) state.heard += 1
      if (lost.isSought && message.type === "result") {
        lost.isGone = saysGone(message)
        if (lost.isGone) return
      }
      const turn = begunBy(message, state)
      if (turn !== undefined) sink.emit(turn)
      if (message.type === "result") takeEarly(state, true).forEach((event) => sink.emit(event))
      state.encoding = encoding
      const [first, ...others] = translate(message, state)
      if (first !== undefined) sink.emit(first, line, encoding)
      for (const event of others) sink.emit(event, undefined, encoding)
      takeEarly(state, false).forEach((event) => sink.emit(event))
      if (message.type === "result" && state.ownTurn) endIfSilent(state.heard)
    }

    const onLine = (printed: Buffer): void => {
      const piece = readPiece(printed)
      if (piece !== undefined) return tellPiece(piece, printed)
      const whole = readWholeMessage(printed)
      if (whole !== undefined) return tell(whole, printed, "latin1")
      const text = printed.toString("utf8")
      // A client would close the connection on a frame that is not UTF-8.
      const line = isUtf8(printed) ? printed : Buffer.from(text)
      const fields = readFields(text)
      if (fields === undefined) return sink.emit({ type: "stdout", text })
      const message = readMessage(fields)
      if (message === undefined) return tellUnknown(fields, line)
      switch (message.type) {
        case "control_request":
          return void fork(answer(message, line))
        case "control_cancel_request":
          return gate.withdraw(requestIdOf(message.request_id))
        case "control_response":
          return control.settle(message.response, line)
      }
      if (message.type === "system" && noNews.has(message.subtype)) return
      if (message.type === "system" && message.subtype === "elicitation_complete") complete(message)
      tell(message, line)
    }

    const tellPiece = (piece: Piece, line: Buffer) => {
      if (piece.delta !== "tool_input") state.unfinished.add(piece.delta, piece.parent, piece.text)
      const turn = piece.parent === undefined ? ownTurn(state) : undefined
      if (turn !== undefined) sink.emit(turn)
      sink.splice(toPieceEvent(piece, state), piece.text, line)
    }

    const agent = yield* spawner.spawn(launch.spec, onLine)
    const write = (message: object) => agent.writeLine(encodeLine(message))
    const control = ClaudeControl.make({ sink, write })

    /** The turn Claude was to begin on its own has not started, so its prompts were not read. */
    const endIfSilent = (heard: number) =>
      void fork(Effect.delay(
        Effect.sync(() => {
          if (state.heard !== heard || !state.ownTurn) return
          state.ownTurn = false
          state.steered.forget()
          sink.emit({ type: "turn_end", stop_reason: "cancelled" })
        }),
        silence
      ))

    const reply = (request_id: unknown, response: object) =>
      write({ type: "control_response", response: { subtype: "success", request_id, response } })
    const refuse = (request_id: unknown, error: string) =>
      write({ type: "control_response", response: { subtype: "error", request_id, error } })

    const mayRun = (request_id: unknown, ask: CanUseTool, line: Buffer) =>
      Effect.gen(function*() {
        const question = toPermissionRequest(requestIdOf(request_id), ask, state, modes)
        const response = toAnswer(ask, yield* gate.request(question, line), modes)
        if (response !== undefined) yield* reply(request_id, response)
      })

    /** Links waiting to be handled, by elicitation id. */
    const links = new Map<string, RequestId>()
    const completed = new Set<RequestId>()
    const complete = ({ elicitation_id = "" }: System) => {
      const request_id = links.get(elicitation_id)
      if (request_id === undefined) return
      completed.add(request_id)
      gate.withdraw(request_id)
    }

    const elicit = (request_id: unknown, ask: Elicitation, line: Buffer) =>
      Effect.gen(function*() {
        const id = requestIdOf(request_id)
        const { elicitation_id } = ask
        if (elicitation_id !== undefined) links.set(elicitation_id, id)
        const outcome = yield* gate.request(toServerQuestion(id, ask, state), line)
        if (elicitation_id !== undefined) links.delete(elicitation_id)
        const isDone = completed.delete(id)
        const response = isDone ? { action: "accept" } : toServerAnswer(ask, outcome)
        if (response !== undefined) yield* reply(request_id, response)
        if (outcome.behavior === "deny" && outcome.stop === true) yield* interrupt
      })

    const interrupt = Effect.suspend(() => {
      state.interrupted = true
      return control.post({ subtype: "interrupt" })
    })

    /** Every request gets an answer: an open one would block Claude forever. */
    const answer = ({ request, request_id }: ControlRequest, line: Buffer) =>
      Effect.gen(function*() {
        const ask = Option.getOrUndefined(readCanUseTool(request))
        if (ask !== undefined) return yield* mayRun(request_id, ask, line)
        const elicitation = Option.getOrUndefined(readElicitation(request))
        if (elicitation !== undefined) return yield* elicit(request_id, elicitation, line)
        const { subtype } = request
        const name = typeof subtype === "string" ? subtype : "unknown"
        // Only a client that shows such dialogs may answer; an answer from the relay would be a decision
        // nobody made.
        if (name === "request_user_dialog") {
          const kind = wordsIn(request["dialog_kind"]) ?? "a dialog"
          return sink.emit(
            status(
              "control_request",
              `${name}: ${kind}. The relay does not show it and leaves it unanswered.`
            ),
            line
          )
        }
        sink.emit(
          status("control_request", `${name}. The relay does not know this request and refused it.`),
          line
        )
        yield* refuse(request_id, `ai-relay does not support the request "${name}"`)
      }).pipe(Effect.ignore({ log: true }))

    const send = Match.type<AgentCommand>().pipe(
      Match.discriminatorsExhaustive("type")({
        user_message: ({ content, message_id, uuid, when }) => {
          const [only, ...more] = content
          const isSteered = when === "steer" && sink.inTurn()
          if (isSteered) state.steered.hand({ uuid, text: textOf(content), message_id })
          else state.unread_prompt = uuid
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
        interrupt: () => interrupt,
        set_model: ({ model }) =>
          Effect.andThen(
            control.ask({ subtype: "set_model", model }),
            Effect.sync(() => sink.emit({ type: "status", status: "model", metadata: { model } }))
          ),
        // Claude confirms it with a status of its own.
        set_permission_mode: ({ mode }) =>
          Effect.asVoid(control.ask({ subtype: "set_permission_mode", mode })),
        control_request: ({ request, request_id }) => control.pass(request_id, request),
        raw_request: ({ method, params, request_id }) =>
          control.pass(request_id, { ...params, subtype: method }),
        control_response: ({ response: { request_id } }) =>
          new CommandRefused({
            reason: `Claude Code is not waiting for an answer to the request "${request_id}"`
          }),
        resize: () => new CommandRefused({ reason: "Claude Code does not run in a terminal here" }),
        stdin: () => new CommandRefused({ reason: "Claude Code does not run in a terminal here" })
      })
    )

    // The answer lists models and commands for a page; asking now also warms up the CLI.
    const greeted = yield* Deferred.make<void>()
    yield* control.ask({ subtype: "initialize" }).pipe(
      Effect.map((response) =>
        sink.emit({ type: "status", status: "initialized", metadata: toOffer(response) })
      ),
      // A process that is gone reports the reason as it exits.
      Effect.catch((failure) => failure._tag === "AgentFailed" ? Effect.never : Effect.void),
      Effect.andThen(Deferred.succeed(greeted, undefined)),
      Effect.forkScoped
    )
    // Without the conversation it exits instead.
    if (lost.isSought) {
      yield* Effect.raceFirst(
        Deferred.await(greeted),
        Effect.map(agent.exit, ({ stderr }) => {
          lost.isGone ||= notFound.test(stderr.join("\n"))
        })
      )
      if (lost.isGone) {
        return yield* new ConversationGone({
          tool: "Claude Code",
          native_session_id: spec.native_session_id ?? ""
        })
      }
      lost.isSought = false
    }

    // On the command line, every user of this machine could read their keys.
    if (spec.mcp_servers !== undefined && spec.mcp_servers.length > 0) {
      const names = spec.mcp_servers.map(({ name }) => name)
      const answer = yield* Effect.mapError(
        control.ask({ subtype: "mcp_set_servers", servers: toClaudeServers(spec.mcp_servers) }),
        (error) =>
          new AgentFailed({
            tool: "Claude Code",
            reason: `it did not take \`mcp_servers\` (${names.join(", ")}): ${error.message}`
          })
      )
      for (const [server, why] of Object.entries(fieldsIn(fieldsIn(answer)["errors"]))) {
        state.toldServers.add(server)
        sink.emit(status("mcp_server", serverFailed(server, wordsIn(why)), { server }))
      }
    }

    return {
      started: {
        cmd: [launch.spec.command, ...launch.spec.args],
        resumed: launch.resumes,
        ...(launch.permission_mode !== undefined && { permission_mode: launch.permission_mode }),
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
      exit: Effect.tap(
        agent.exit,
        () =>
          Effect.sync(() => {
            state.unfinished.cut((id) => state.ids.of(id)).forEach((event) => sink.emit(event))
            takeEarly(state, true).forEach((event) => sink.emit(event))
          })
      )
    }
  })

  return AgentAdapter.of({ tool: claude.tool, open })
})

/** Claude also says so on stderr and exits. */
const notFound = /no conversation found/i
const saysGone = ({ error, errors, result }: Result) => notFound.test(wordsIn([errors, error, result]) ?? "")

/** Models and commands for menus; the rest of the answer is about the user's account. */
const toOffer = (response: unknown): Record<string, unknown> => {
  const { commands, models } = (typeof response === "object" && response !== null ? response : {}) as Record<
    string,
    unknown
  >
  return { commands, models }
}
