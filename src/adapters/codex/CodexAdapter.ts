/**
 * CodexAdapter: talks to `codex app-server` over JSON-RPC. One process serves a whole session; its
 * conversation is one Codex thread.
 *
 * `translate.ts` interprets notifications, `asks.ts` handles Codex's questions to people, and `commands.ts`
 * sends commands. This file opens the conversation and moves the lines.
 */
import { Effect, FiberSet, Layer, Option, Predicate, Result, Schedule, Schema } from "effect"
import type { EventBody } from "../../schema/index.js"
import {
  type AgentProcess,
  type AgentSession,
  type AgentSpec,
  Credentials,
  DaemonConnector,
  EventSink,
  PermissionGate,
  ProcessSpawner
} from "../Adapter.js"
import { AgentFailed, BadHandshake, ConversationGone, ConversationInUse } from "../AdapterError.js"
import { AgentAdapter } from "../AgentDescriptor.js"
import type { JsonRpcNotification } from "../wire/JsonRpc.js"
import * as JsonRpcPeer from "../wire/JsonRpcPeer.js"
import { saysGone } from "../wire/saysGone.js"
import { status } from "../wire/statusEvent.js"
import { wordsIn } from "../wire/words.js"
import { makeAsks, requestIdOf } from "./asks.js"
import { checkOpened, ofAgents, toLaunch, toThreadRequest } from "./CodexLaunch.js"
import { Notification, ThreadOpened } from "./CodexMessage.js"
import { modeNamed, modesOf } from "./CodexModes.js"
import { makeCommands, overloaded } from "./commands.js"
import { connect, greet, patience, toAgentFailed } from "./connect.js"
import { codex } from "./descriptor.js"
import { makeJoined } from "./joined.js"
import { toOffer } from "./models.js"
import { nativeRules } from "./nativeRules.js"
import { makeSettings } from "./settings.js"
import { readStreamPiece, type StreamPiece } from "./streamPiece.js"
import { fromThread, lostTurn, makeState, originOf, translate } from "./translate.js"
import type { Turns } from "./turns.js"

export const layer = () => Layer.effect(AgentAdapter, make)

const readNotification = Schema.decodeUnknownOption(Notification)
const readThread = Schema.decodeUnknownEffect(ThreadOpened)

/** Codex's daemon keeps a thread for about a minute after its terminal was closed. */
const isLocked = (refusal: { readonly message: string }) => /active writer/i.test(refusal.message)
const stillLocked =
  "Codex still holds this conversation for another of its programs. If a terminal was just closed, Codex releases it within "
  + "a minute, and the relay waits for that; otherwise quit the other program."
const untilUnlocked = Schedule.spaced("1 second").pipe(Schedule.upTo({ duration: "75 seconds" }))

const readLoaded = Schema.decodeUnknownOption(Schema.Struct({ data: Schema.Array(Schema.String) }))
const notThere =
  "the conversation is open in another Codex that does not use the daemon, so it cannot be shared: quit that one, or follow it"

const daemonGone: ReadonlyArray<EventBody> = [
  {
    type: "error",
    code: "turn_failed",
    text: "Codex's daemon exited in the middle of this turn. What was said is kept; send the prompt again."
  },
  { type: "turn_end", stop_reason: "error" }
]

/** How long the end of a turn may take after Codex has stopped working or failed for good. */
const endIsDue = { idle: "2 seconds", failed: "10 seconds" } as const

/** How the awaited turn ended, whichever message reports it. */
const lastWord = (message: unknown, { turns }: { readonly turns: Turns }): Notification | undefined => {
  const params = Predicate.hasProperty(message, "params") ? message.params : undefined
  const ended = Option.getOrUndefined(readNotification({ method: "turn/completed", params }))
  if (ended?.method !== "turn/completed") return undefined
  const { turn: { id, status } } = ended.params
  return turns.isAwaited(id) && over.has(status) ? ended : undefined
}
const over: ReadonlySet<string | undefined> = new Set(["completed", "failed", "interrupted"])

const isPreview = (method: string) => /(?:delta|summaryPartAdded)$/i.test(method)

const make = Effect.gen(function*() {
  const spawner = yield* ProcessSpawner
  const credentials = yield* Credentials
  const daemons = yield* Effect.serviceOption(DaemonConnector)

  const open = Effect.fnUntraced(function*(wanted: AgentSpec) {
    const spec = ofAgents(wanted)
    const sink = yield* EventSink
    const gate = yield* PermissionGate
    const fork = yield* FiberSet.makeRuntime<never>()
    const request = yield* toThreadRequest(spec)
    const state = makeState(sink.inTurn)
    const settings = makeSettings(spec)

    const tellAll = (events: ReadonlyArray<EventBody>, line?: Buffer) =>
      events.forEach((event, index) => sink.emit(event, index === 0 ? line : undefined))
    const joined = spec.join === undefined ? undefined : makeJoined({
      state,
      inTurn: sink.inTurn,
      emit: (event, line) => sink.emit(event, line),
      handle: (message, line) => handle(message, line)
    })
    const tell = joined?.tell ?? tellAll

    const onPiece = ({ encoding, item, kind, text, thread }: StreamPiece, line: Buffer): void => {
      const origin = originOf(thread, state)
      const metadata = origin && { metadata: origin }
      state.heard += 1
      // All of it comes again as a whole.
      if (joined?.isHolding() === true) return
      joined?.onPiece()
      if (kind === "output") {
        const tool_use_id = state.tools.nameOf(item, thread)
        return sink.emit({ type: "tool_progress", tool_use_id, text, ...metadata }, line, encoding)
      }
      state.pieces.add(item, thread, kind, text, encoding)
      sink.emit({ type: "stream_event", delta: kind, text, ...metadata }, line, encoding)
    }

    /** The end of the turn is due; if it was lost or unreadable, the turn ends anyway. */
    const endIfLost = (why: keyof typeof endIsDue) => {
      const awaited = state.turns.awaited()
      if (awaited === undefined) return
      const { heard, stirred } = state
      const end = Effect.sync(() => {
        const goesOn = why === "idle" ? state.stirred !== stirred : state.heard !== heard
        if (!goesOn && state.turns.awaited() === awaited) tell(lostTurn(state))
      })
      fork(Effect.delay(end, endIsDue[why]))
    }

    /** Whether the message says that Codex has stopped working. */
    const watch = (known: Notification) => {
      state.heard += 1
      if (originOf(known.params.threadId, state) !== undefined) return
      // Another turn may have been ours if its answer was lost.
      if (known.method === "thread/closed" || known.method === "turn/completed") return endIfLost("idle")
      if (known.method === "error" && known.params.willRetry !== true) return endIfLost("failed")
      if (known.method === "turn/started") state.stirred += 1
      if (known.method !== "thread/status/changed") return
      if (known.params.status.type === "active") state.stirred += 1
      else if (known.params.status.type !== undefined) endIfLost("idle")
    }

    const handle = (message: JsonRpcNotification, line: Buffer): void => {
      const known = Option.getOrUndefined(readNotification(message)) ?? lastWord(message, state)
      if (known === undefined) {
        const { method, params } = message
        return sink.emit(isPreview(method) ? { type: "stream_event" } : status(method, wordsIn(params)), line)
      }
      if (known.method === "serverRequest/resolved") gate.withdraw(requestIdOf(known.params.requestId))
      tell(fromThread(state.pieces.cutBy(known), known.params.threadId, state))
      tell(translate(known, state), line)
      watch(known)
    }

    const speak = <E, R>(
      reach: (onLine: (line: Buffer) => void) => Effect.Effect<AgentProcess, E, R>
    ) =>
      JsonRpcPeer.open(
        (onLine) =>
          reach((line) => {
            const piece = readStreamPiece(line)
            if (piece === undefined) onLine(line)
            else onPiece(piece, line)
          }),
        {
          tool: "Codex",
          jsonrpc: false,
          onNotification: joined?.onNotification ?? handle,
          // Nothing is asked before there is a thread.
          onRequest: (request, line) => state.thread === undefined ? undefined : asks.answer(request, line),
          onOther: (line, message) =>
            message === undefined
              ? sink.emit({ type: "stdout", text: line.toString("utf8") })
              : handle({ ...Predicate.isObject(message) && message, method: "unknown" }, line)
        }
      )

    const start = (args: ReadonlyArray<string>) =>
      speak((onLine) => spawner.spawn(toLaunch(spec, args), onLine))

    /** The daemon that holds the thread for a terminal. */
    const join = (socket: string) =>
      Effect.gen(function*() {
        if (Option.isNone(daemons)) return yield* new ConversationInUse({ reason: notThere })
        const peer = yield* speak((onLine) => daemons.value.connect({ tool: "Codex", socket }, onLine))
        yield* greet(peer)
        const { data } = yield* peer.request("thread/loaded/list", {}, { within: patience }).pipe(
          Effect.mapError(toAgentFailed),
          Effect.map((answer) =>
            Option.getOrElse(
              readLoaded(answer),
              (): { readonly data: ReadonlyArray<string> } => ({ data: [] })
            )
          )
        )
        if (!data.includes(spec.native_session_id ?? "")) {
          return yield* new ConversationInUse({ reason: notThere })
        }
        return peer
      })

    const peer = spec.join === undefined ? yield* connect(spec, start, credentials) : yield* join(spec.join)
    const commands = makeCommands({ peer, sink, state, fork, settings })
    const asks = makeAsks({ gate, sink, state, commands })

    // Other requests to a shared thread affect its other clients too.
    const params = joined === undefined
      ? request.params
      : { threadId: spec.native_session_id, excludeTurns: true }
    const opened = yield* peer.request(request.method, params, { within: patience }).pipe(
      Effect.tapError((refusal) =>
        isLocked(refusal)
          ? Effect.sync(() => sink.emit(status("waiting", stillLocked, { reason: "in_use" })))
          : Effect.void
      ),
      Effect.retry({ while: isLocked, schedule: untilUnlocked }),
      Effect.flatMap(readThread),
      Effect.catchTags({
        JsonRpcError: (refusal): Effect.Effect<never, BadHandshake | ConversationGone> => {
          const { begins_anew, native_session_id } = spec
          const isOwn = begins_anew === true && !isLocked(refusal) && refusal.code !== overloaded
          if (native_session_id !== undefined && saysGone(refusal.reason)) {
            return new ConversationGone({ tool: "Codex", native_session_id })
          }
          if (native_session_id !== undefined && isOwn) {
            return new ConversationGone({ tool: "Codex", native_session_id, why: refusal.reason })
          }
          return new BadHandshake({
            reason: isLocked(refusal)
              ? "the conversation is open in another Codex: quit that one and wait a minute, or continue there"
              : `Codex did not open the thread: ${refusal.reason}. Change the handshake.`
          })
        },
        RequestTimedOut: ({ message }) => new AgentFailed({ tool: "Codex", reason: message }),
        SchemaError: () =>
          new AgentFailed({
            tool: "Codex",
            reason: "the relay does not understand its answer. Update ai-relay or Codex."
          })
      })
    )
    yield* checkOpened(spec, opened)
    const { thread } = opened
    state.thread = thread.id
    if (joined === undefined) settings.opened(opened)
    else {
      // The daemon keeps it for the terminal.
      yield* Effect.addFinalizer(() =>
        Effect.ignore(peer.request("thread/unsubscribe", { threadId: thread.id }, { within: "1 second" }))
      )
      yield* joined.catchUp(peer, thread.id)
      yield* Effect.forkScoped(Effect.map(peer.exit, () => sink.inTurn() ? tell(daemonGone) : undefined))
    }

    // The answer lists the models for a page.
    yield* peer.post("model/list", {}, (answer) => {
      if (Result.isSuccess(answer)) sink.emit(status("initialized", undefined, toOffer(answer.success)))
    })

    const { args, command } = toLaunch(spec)
    const session: AgentSession = {
      started: {
        cmd: joined === undefined ? [command, ...args] : [],
        native_session_id: thread.id,
        resumed: spec.native_session_id !== undefined,
        permission_mode: joined === undefined && spec.permission_mode !== undefined
          ? spec.permission_mode
          : modeNamed(opened.approvalPolicy, opened.sandbox?.type),
        metadata: {
          model: opened.model,
          model_provider: opened.modelProvider,
          approval_policy: opened.approvalPolicy,
          sandbox: opened.sandbox?.type
        },
        capabilities: {
          images: true,
          steer: true,
          // Settings of a shared thread also apply to the terminal, so they are chosen there.
          set_model: joined === undefined,
          permission_modes: joined === undefined ? modesOf(spec.allowed_modes) : [],
          resume: spec.ephemeral !== true,
          terminal: false
        }
      },
      native: nativeRules(thread.id),
      send: commands.send,
      exit: peer.exit,
      ...(joined !== undefined && { hasTold: joined.hasTold })
    }
    return session
  })

  return AgentAdapter.of({ tool: codex.tool, open })
})
