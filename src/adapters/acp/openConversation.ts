/**
 * openConversation: the steps before the first prompt: initialize, open or reopen a session, set the mode and
 * the model. Each step has a time limit, and each failure says what to do.
 */
import { Clock, Effect, Option, Schema } from "effect"
import type { AgentSpec } from "../Adapter.js"
import { AgentFailed, AuthRequired, BadHandshake, ConversationGone } from "../AdapterError.js"
import { toAcpServers, unreachable } from "../mcpServers.js"
import { codes as rpcCodes, type JsonRpcError } from "../wire/JsonRpc.js"
import type { JsonRpcPeer, RequestTimedOut } from "../wire/JsonRpcPeer.js"
import { saysGone } from "../wire/saysGone.js"
import type { AcpAgent } from "./AcpAgent.js"
import { Initialized, Opened } from "./AcpSetup.js"
import { modeThatAsks } from "./asking.js"
import type { ChoiceRequest } from "./choices.js"
import { listPages } from "./listPages.js"
import { isLimit, reasonOf, wantsLogin, withAdvice } from "./refusal.js"
import type { AcpState } from "./translate.js"

/** The only protocol version the relay supports. */
export const protocolVersion = 1
export const clientInfo = { name: "ai-relay", title: "ai-relay", version: "1.0.0" }
/** For a program that does not speak the protocol or waits for a person at a terminal. */
const initializeWithin = "45 seconds"
/** An agent may first start the user's tool servers and read a long history. */
const openWithin = "90 seconds"
const chooseWithin = "15 seconds"
const authenticateWithin = "15 seconds"
/** Late history is over after this many ms without an update. */
const replayPause = 200
const replayAtMost = 5000

/**
 * What the relay offers an agent: it answers permission requests and questions, and handles subagents and
 * settings separately. The agent reads and writes files itself.
 */
export const clientCapabilities = {
  fs: { readTextFile: false, writeTextFile: false },
  terminal: false,
  session: { compaction: {}, notices: {}, configOptions: { boolean: {} } },
  subagents: {},
  elicitation: { form: {}, url: {} }
}

export interface Conversation {
  /** The session id the agent expects in requests. */
  readonly sessionId: string
  readonly initialized: Initialized
}

interface Parts {
  readonly agent: AcpAgent
  readonly spec: AgentSpec
  readonly state: AcpState
  readonly peer: JsonRpcPeer
  /** Called when history follows. */
  readonly onReplay: () => void
  /** When the agent last sent something, in ms. */
  readonly lastHeard: () => number
}

/** Recognized by the protocol's own error code or by the wording. */
const isGone = (error: JsonRpcError): boolean =>
  error.code !== rpcCodes.methodNotFound
  && (error.code === -32002
    || saysGone(reasonOf(error)))

/** The folder of a conversation as its agent lists it: first among those of this folder, then among all. */
const folderOf = (peer: JsonRpcPeer, id: string, folder: string) =>
  Effect.gen(function*() {
    for (const cwd of [folder, undefined]) {
      const found = yield* listPages(peer, cwd, ({ sessionId }) => sessionId === id)
      const held = found.find(({ sessionId }) => sessionId === id)?.cwd
      if (held !== undefined) return held
    }
    return undefined
  })

type Refusal = JsonRpcError | AgentFailed | RequestTimedOut

export const openConversation = Effect.fnUntraced(function*(parts: Parts) {
  const { agent, peer, spec, state } = parts
  const { name: tool } = agent
  const { choices } = state

  const fail = (reason: string) => new AgentFailed({ tool, reason })

  const refuse = (step: string) => (refusal: Refusal) => {
    if (refusal._tag === "AgentFailed") return refusal
    if (refusal._tag === "RequestTimedOut") {
      return fail(
        `it did not answer "${refusal.method}" within ${refusal.within}. Run it once in a terminal on the `
          + `relay's machine: it may wait for a login there. ${agent.login}`
      )
    }
    return wantsLogin(refusal)
      ? new AuthRequired({ tool, advice: withAdvice(reasonOf(refusal), agent.login) })
      : fail(`${step}: ${reasonOf(refusal)}`)
  }

  const initialize = peer.request("initialize", {
    protocolVersion,
    clientInfo,
    clientCapabilities
  }, { within: initializeWithin }).pipe(
    Effect.mapError(refuse("it refused to initialize")),
    Effect.map((answer) => Option.getOrElse(readInitialized(answer), (): Initialized => ({}))),
    Effect.filterOrFail(
      (answer) => (answer.protocolVersion ?? protocolVersion) === protocolVersion,
      (answer) =>
        fail(
          `it uses version ${answer.protocolVersion} of the Agent Client Protocol, the relay version `
            + `${protocolVersion}. Install a release that supports it.`
        )
    )
  )

  const authenticate = ({ authMethods = [] }: Initialized) => {
    const methodId = agent.authenticate
    return authMethods.some(({ id }) => id === methodId)
      ? peer.request("authenticate", { methodId }, { within: authenticateWithin }).pipe(
        Effect.mapError((refusal) =>
          refusal._tag === "AgentFailed" ? refusal : new AuthRequired({ tool, advice: agent.login })
        )
      )
      : Effect.void
  }

  const mcpServers = toAcpServers(spec.mcp_servers)

  const checkServers = ({ agentCapabilities = {} }: Initialized) => {
    const server = unreachable(spec.mcp_servers, agentCapabilities.mcpCapabilities)
    return server === undefined ? Effect.void : new BadHandshake({
      reason: `${tool} does not support MCP servers over ${"type" in server ? server.type : "stdio"}: leave `
        + `"${server.name}" out of \`mcp_servers\``
    })
  }

  const open = (method: string, params: object) =>
    peer.request(method, { cwd: spec.folder, mcpServers, ...params }, { within: openWithin }).pipe(
      Effect.map((answer) => Option.getOrElse(readOpened(answer), (): Opened => ({})))
    )

  const begin = open("session/new", {}).pipe(
    Effect.mapError(refuse("it did not open a session")),
    Effect.flatMap((session) =>
      session.sessionId === undefined
        ? fail("its answer to \"session/new\" names no session.")
        : Effect.succeed({ session, sessionId: session.sessionId })
    )
  )

  /**
   * Agents resume any conversation from any folder; one from a folder the client may not see is refused
   * before any of it is read.
   */
  const checkPlace = Effect.fnUntraced(function*(
    id: string,
    capabilities: NonNullable<Initialized["agentCapabilities"]>["sessionCapabilities"]
  ) {
    if (spec.may_tell === undefined || capabilities?.list === undefined) return
    const folder = yield* folderOf(peer, id, spec.folder).pipe(
      Effect.mapError(refuse("it did not say in which folder the conversation was held"))
    )
    if (folder === undefined || !(yield* spec.may_tell(folder))) {
      return yield* new ConversationGone({ tool, native_session_id: id })
    }
  })

  const reopen = (id: string, { agentCapabilities = {} }: Initialized) =>
    Effect.gen(function*() {
      const { loadSession, sessionCapabilities } = agentCapabilities
      const resumes = sessionCapabilities?.resume !== undefined
      if (!resumes && loadSession !== true) {
        return yield* new ConversationGone({
          tool,
          native_session_id: id,
          reason: `${tool} cannot reopen past conversations: leave out \`native_session_id\``
        })
      }
      yield* checkPlace(id, sessionCapabilities)
      const sessionId = state.quirks.nameToLoad?.(id) ?? id
      const attempt = (method: string) =>
        Effect.map(open(method, { sessionId }), (session) => ({ session, sessionId }))
      const load = Effect.suspend(() => {
        parts.onReplay()
        const loaded = attempt("session/load")
        return state.quirks.replaysLate === true ? Effect.tap(loaded, () => replayed) : loaded
      })
      // Some agents announce `session/resume` but do not support it.
      const opened = resumes
        ? Effect.catchTag(
          attempt("session/resume"),
          "JsonRpcError",
          (refusal) => refusal.code === rpcCodes.methodNotFound ? load : Effect.fail(refusal)
        )
        : load
      return yield* Effect.mapError(opened, (refusal) => {
        if (refusal._tag === "JsonRpcError" && isGone(refusal)) {
          return new ConversationGone({ tool, native_session_id: id })
        }
        // A missing login, a limit or a timeout says nothing about the conversation.
        const isItsOwn = refusal._tag === "JsonRpcError" && !wantsLogin(refusal) && !isLimit(refusal)
        return isItsOwn && spec.begins_anew === true
          ? new ConversationGone({ tool, native_session_id: id, why: reasonOf(refusal) })
          : refuse(`it could not reopen the conversation "${id}"`)(refusal)
      })
    })

  const replayed = Effect.gen(function*() {
    const until = (yield* Clock.currentTimeMillis) + replayAtMost
    for (;;) {
      const now = yield* Clock.currentTimeMillis
      const pause = Math.min(parts.lastHeard() + replayPause, until) - now
      if (pause <= 0) return
      yield* Effect.sleep(pause)
    }
  })

  const choose = (sessionId: string, field: string, { method, params }: ChoiceRequest) =>
    peer.request(method, { sessionId, ...params }, { within: chooseWithin }).pipe(
      Effect.map(choices.chosen),
      Effect.mapError((refusal) =>
        refusal._tag === "JsonRpcError"
          ? new BadHandshake({ reason: `${tool} refuses this \`${field}\`: ${reasonOf(refusal)}` })
          : refuse("")(refusal)
      )
    )

  /** The agent's own settings may start it in a mode the operator does not allow, or in one that asks nobody. */
  const leaveMode = (sessionId: string) =>
    Effect.suspend(() => {
      const setting = choices.mode()
      if (setting?.current === undefined) return Effect.void
      const { current, offered } = setting
      const isForbidden = !choices.isAllowed(current)
      const mode = modeThatAsks(agent, setting) ?? (isForbidden ? offered[0]?.id : undefined)
      if (mode === undefined && isForbidden) {
        return new BadHandshake({
          reason:
            `${tool} begins in the permission mode "${current}", which this relay does not allow, and offers none `
            + "that it does: choose another agent, or start the relay with --permission-modes the agent has"
        })
      }
      if (mode === undefined) return Effect.void
      return Effect.map(
        choose(sessionId, "permission_mode", setting.choose(mode)),
        () => choices.nowInMode(mode)
      )
    })

  const initialized = yield* initialize
  yield* checkServers(initialized)
  yield* authenticate(initialized)
  const { session, sessionId } = yield* spec.native_session_id === undefined
    ? begin
    : reopen(spec.native_session_id, initialized)
  choices.opened(session)

  if (spec.model !== undefined && agent.modelArgs === undefined) {
    const setting = choices.model()
    if (setting === undefined) {
      return yield* new BadHandshake({
        reason: `${tool} does not offer a choice of models: leave out \`model\``
      })
    }
    const model = choices.toModel(spec.model)
    yield* choose(sessionId, "model", setting.choose(model))
    choices.nowOnModel(model)
  }
  if (spec.permission_mode !== undefined) {
    const setting = choices.mode()
    const mode = choices.toMode(spec.permission_mode)
    if (setting === undefined || !setting.offered.some(({ id }) => id === mode)) {
      return yield* new BadHandshake({ reason: whichMode(tool, choices.modeNames()) })
    }
    if (setting.current !== mode) yield* choose(sessionId, "permission_mode", setting.choose(mode))
    choices.nowInMode(mode)
  } else yield* leaveMode(sessionId)
  const conversation: Conversation = { sessionId, initialized }
  return conversation
})

export const readInitialized = Schema.decodeUnknownOption(Initialized)
const readOpened = Schema.decodeUnknownOption(Opened)

const whichMode = (tool: string, names: ReadonlyArray<string>) =>
  names.length === 0
    ? `${tool} has no permission modes: leave out \`permission_mode\``
    : `\`permission_mode\` must be one of ${names.join(", ")}`
