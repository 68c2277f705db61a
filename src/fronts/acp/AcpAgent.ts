/**
 * AcpAgent: presents the relay as an agent of the Agent Client Protocol, version 1, to one client.
 * Independent of the transport: it receives the client's messages one at a time and sends its own through
 * `send`.
 *
 * All its state is in the sessions' journals: a client that was killed reconnects, lists, loads, gets pending
 * questions again, and continues. When the client disconnects, the sessions are detached, not ended.
 */
import { Deferred, Effect, Exit, FiberSet, Scope } from "effect"
import { JsonRpcError, type JsonRpcId } from "../../adapters/wire/JsonRpc.js"
import { type ClientCommand, type Handshake, isSilent, SessionId } from "../../schema/index.js"
import { type Open, open, text } from "../read.js"
import type { PortError, SessionPort } from "../SessionPort.js"
import * as Asking from "./asking.js"
import { type Attached, configOptionsOf, isOver, metaOf, type Prompt, settingsOf } from "./Attached.js"
import { toContent, toMcpServers } from "./content.js"
import * as Following from "./following.js"
import { initialized } from "./initialized.js"
import * as Opening from "./opening.js"
import * as Outbox from "./Outbox.js"
import type { PathMap } from "./PathMap.js"
import { authRequired, refusal, unknownSession, wrong } from "./refusals.js"
import * as Rpc from "./Rpc.js"

export interface AcpAgentOptions {
  /** Provides the sessions; run when the first one is needed. */
  readonly port: Effect.Effect<SessionPort["Service"], PortError>
  /** Send a JSON-RPC object to the client. */
  readonly send: (message: object) => void
  /** Run before each event: waits while the client has too much unread data. */
  readonly drained?: Effect.Effect<void>
  /** The agent for new sessions; default: the first usable one. */
  readonly tool?: string | undefined
  /** Further handshake fields for new sessions. */
  readonly defaults?: Partial<Handshake>
  readonly paths: PathMap
  readonly version: string
  /** A new unique id. */
  readonly newId: () => string
  /** The client's label in `by`, from the name it reports. */
  readonly frontOf?: (client: string) => string
}

export interface AcpAgent {
  /** A client message as JSON text. */
  readonly receive: (message: string) => void
  /** Answers everything that waits with this error: the connection will be closed. */
  readonly close: (error: JsonRpcError) => void
  /** Completes when none of its sessions is live. */
  readonly over: Effect.Effect<void>
}

const pageSize = 50
/** How long to wait for a new session's choices before reporting it without them. */
const settleWithin = "400 millis"
/** How long `session/close` waits for the session to end. */
const closeWithin = "2 seconds"

const isObject = (value: unknown) => typeof value === "object" && value !== null

const isValidId = (id: string) => /^[A-Za-z0-9_-][A-Za-z0-9._:-]{0,127}$/.test(id)

export const make = Effect.fnUntraced(function*(options: AcpAgentOptions) {
  const { defaults = {}, newId, paths, send } = options
  const fork = yield* FiberSet.makeRuntime<never>()
  const attached = new Map<string, Attached>()
  const running = new Map<JsonRpcId, () => Effect.Effect<void, PortError>>()
  /** Ended sessions that are being opened again. */
  const reopening = new Map<string, Deferred.Deferred<Attached, JsonRpcError | PortError>>()
  /** Prompts that wait for that, and their session. */
  const waiting = new Map<Prompt, unknown>()
  let client: Open = {}
  let clientName = "client"

  yield* Effect.addFinalizer(() =>
    Effect.forEach([...attached.values()], ({ scope }) => Scope.close(scope, Exit.void), { discard: true })
  )

  const front = () => options.frontOf?.(clientName) ?? "acp"
  const submit = (entry: Attached, command: ClientCommand) =>
    void fork(Effect.catch(
      entry.session.submit(command),
      ({ code, reason }) => Effect.sync(() => following.refuse(entry, command.message_id, code, reason))
    ))
  const outbox = Outbox.make(send)
  const rpc: Rpc.Rpc = Rpc.make({
    fork,
    send: outbox.send,
    handle: (method, params, id) => handle(method, params, id),
    heed: (method, params) => heed(method, params)
  })
  const asking = Asking.make({
    rpc,
    hasForms: () => isObject(open(client["elicitation"])["form"]),
    submit,
    newId,
    othersThan: ({ id }, then) => {
      const listing = Effect.flatMap(options.port, (port) => port.listing(id))
      fork(Effect.match(listing, {
        onSuccess: (found) => then((found?.clients ?? 0) > 1),
        onFailure: () => then(false)
      }))
    }
  })
  const following = Following.make(rpc, outbox, asking, submit)
  const { enter, follow, leave, reopen, tellEarly } = Opening.make({
    attached,
    port: options.port,
    drained: options.drained ?? Effect.void,
    paths,
    client: () => client,
    front,
    following,
    asking
  })

  const idOf = (params: Open): Effect.Effect<SessionId, JsonRpcError> => {
    const id = text(params["sessionId"]) ?? ""
    return isValidId(id)
      ? Effect.succeed(SessionId.make(id))
      : Effect.fail(
        refusal("session_not_found", `there is no session "${id}": session/list names those there are`)
      )
  }

  const openEntry = (params: Open): Effect.Effect<Attached, JsonRpcError> => {
    const entry = attached.get(text(params["sessionId"]) ?? "")
    return entry === undefined
      ? Effect.fail(unknownSession(String(params["sessionId"])))
      : Effect.succeed(entry)
  }

  const chooseTool = Effect.gen(function*() {
    if (options.tool !== undefined) return options.tool
    const port = yield* options.port
    const agents = yield* port.agents
    const usable = agents.find(({ installed, logged_in, tool }) =>
      installed && logged_in !== false && tool !== "generic" && tool !== "demo"
    )
    return usable?.tool ?? "demo"
  })

  const newSession = (params: Open): Rpc.Handled =>
    Effect.gen(function*() {
      const cwd = text(params["cwd"])
      if (cwd === undefined) return yield* wrong("`cwd` must be the session's folder")
      const given = open(open(params["_meta"])["ai-relay"])
      const [model, permission_mode, linger] = [given["model"], given["permission_mode"], given["linger"]]
      const mcp_servers = toMcpServers(params["mcpServers"])
      const { early, entry } = yield* enter({
        ...defaults,
        tool: text(given["tool"]) ?? (yield* chooseTool),
        folder: paths.toRelay(cwd),
        session_id: SessionId.make(newId()),
        ...(mcp_servers.length > 0 && { mcp_servers }),
        ...(typeof model === "string" && { model }),
        ...(typeof permission_mode === "string" && { permission_mode }),
        ...(typeof linger === "number" && linger >= 0 && { linger })
      }, () => ({}))
      // Editors know the session only once they have its id.
      entry.held = []
      yield* follow(entry)
      yield* Effect.timeoutOption(Deferred.await(entry.settled), settleWithin)
      return {
        result: { sessionId: entry.id, ...settingsOf(entry), _meta: metaOf(entry) },
        behind: Effect.andThen(Effect.sync(() => following.release(entry)), tellEarly(entry, early))
      }
    })

  const comeBack = (params: Open, replays: boolean): Rpc.Handled =>
    Effect.gen(function*() {
      const session_id = yield* idOf(params)
      const mcp_servers = toMcpServers(params["mcpServers"])
      const { begin, entry } = yield* reopen(
        { session_id, ...(mcp_servers.length > 0 && { mcp_servers }) },
        replays
      )
      return { result: { ...settingsOf(entry), _meta: metaOf(entry) }, behind: begin }
    })

  // --- talking ---------------------------------------------------------------------------------------------------

  const awaken = ({ id }: Attached) =>
    Effect.gen(function*() {
      const again = yield* reopen({ session_id: SessionId.make(id) }, false)
      yield* again.begin
      return again.entry
    })

  /** The session with this id; reopened if it has ended, once for all that need it. */
  const alive = (params: Open): Effect.Effect<Attached, JsonRpcError | PortError> =>
    Effect.gen(function*() {
      const entry = yield* openEntry(params)
      const others = reopening.get(entry.id)
      if (others !== undefined) return yield* Deferred.await(others)
      if (!isOver(entry)) return entry
      const reopened = Deferred.makeUnsafe<Attached, JsonRpcError | PortError>()
      reopening.set(entry.id, reopened)
      // All wait for the same, so they go on in their order.
      fork(Effect.flatMap(Effect.exit(awaken(entry)), (exit) => {
        reopening.delete(entry.id)
        return Effect.asVoid(Deferred.done(reopened, exit))
      }))
      return yield* Deferred.await(reopened)
    })

  const command = (entry: Attached, given: ClientCommand) =>
    Effect.gen(function*() {
      const message_id = newId()
      const done = yield* Deferred.make<void, JsonRpcError>()
      entry.commands.set(message_id, done)
      yield* entry.session.submit({ ...given, message_id } as ClientCommand)
      yield* Effect.ensuring(Deferred.await(done), Effect.sync(() => entry.commands.delete(message_id)))
    })

  const stop = (entry: Attached, wanted: (prompt: Prompt) => boolean = () => true) =>
    Effect.gen(function*() {
      const { session } = entry
      let isRunning = entry.prompts.size === 0
      for (const [message_id, prompt] of entry.prompts) {
        if (!wanted(prompt)) continue
        prompt.isCancelled = true
        if (prompt.turn !== undefined || prompt.isSent) isRunning = true
        // If nothing is known of the prompt yet, it is stopped as soon as something is.
        else if (prompt.isQueued) yield* session.submit({ type: "cancel_queued", message_id })
      }
      if (!isRunning) return
      entry.isStopping = true
      yield* session.submit({ type: "interrupt" })
    })

  const prompt = (params: Open, rpcId: JsonRpcId): Rpc.Handled => {
    const mine: Prompt = {
      rpcId,
      done: Deferred.makeUnsafe<object, JsonRpcError>(),
      turn: undefined,
      isQueued: false,
      isSent: false,
      isCancelled: false
    }
    let place: Attached | undefined
    const stopMine = () =>
      Effect.suspend(() => {
        mine.isCancelled = true
        return place === undefined ? Effect.void : stop(place, (prompt) => prompt === mine)
      })
    return Effect.gen(function*() {
      running.set(rpcId, stopMine)
      const content = toContent(params["prompt"], paths)
      if (typeof content === "string") return yield* wrong(content)
      const [first, ...more] = content
      if (first === undefined || isSilent(content)) return yield* wrong("`prompt` must not be empty")
      waiting.set(mine, params["sessionId"])
      const entry = yield* Effect.ensuring(alive(params), Effect.sync(() => waiting.delete(mine)))
      if (mine.isCancelled) return { result: { stopReason: "cancelled" } }
      place = entry
      const { when } = open(open(params["_meta"])["ai-relay"])
      const message_id = newId()
      entry.prompts.set(message_id, mine)
      yield* entry.session.submit({
        type: "user_message",
        content: [first, ...more],
        message_id,
        ...((when === "steer" || when === "interrupt" || when === "queue") && { when })
      }).pipe(Effect.tapError(() => Effect.sync(() => entry.prompts.delete(message_id))))
      return { result: yield* Deferred.await(mine.done) }
    }).pipe(Effect.ensuring(Effect.sync(() => {
      // The client may have reused the id in the meantime.
      if (running.get(rpcId) === stopMine) running.delete(rpcId)
    })))
  }

  const list = (params: Open): Rpc.Handled =>
    Effect.gen(function*() {
      const port = yield* options.port
      // Editors write a folder with a slash at its end, too.
      const cwd = text(params["cwd"])?.replace(/(?<=.)\/+$/, "")
      const from = Number(text(params["cursor"]) ?? 0)
      if (!Number.isInteger(from) || from < 0) {
        return yield* wrong("`cursor` must be one that session/list gave")
      }
      const all = (yield* port.list).filter(({ folder, tool }) =>
        (options.tool === undefined || tool === options.tool) &&
        (cwd === undefined || folder === paths.toRelay(cwd))
      )
      const sessions = all.slice(from, from + pageSize).map((listing) => ({
        sessionId: listing.session_id,
        cwd: paths.toClient(listing.folder),
        ...(listing.title !== undefined && { title: listing.title }),
        updatedAt: new Date(listing.last_active_at * 1000).toISOString(),
        _meta: { "ai-relay": { tool: listing.tool, state: listing.state, turns: listing.turns } }
      }))
      const next = from + pageSize
      return { result: { sessions, ...(next < all.length && { nextCursor: String(next) }) } }
    })

  const close = (params: Open): Rpc.Handled =>
    Effect.gen(function*() {
      const entry = yield* openEntry(params)
      const everybody = open(open(params["_meta"])["ai-relay"])["end"] === true
      if (!isOver(entry)) {
        yield* stop(entry, () => true)
        yield* Effect.ignore(Effect.timeoutOption(
          command(entry, { type: "end", ...(!everybody && { if_alone: true }) }),
          closeWithin
        ))
      }
      yield* leave(entry)
      return { result: {} }
    })

  const remove = (params: Open): Rpc.Handled =>
    Effect.gen(function*() {
      const session_id = yield* idOf(params)
      const port = yield* options.port
      const entry = attached.get(session_id)
      if (entry !== undefined) yield* leave(entry)
      yield* port.forget(session_id)
      return { result: {} }
    })

  const setMode = (params: Open, mode: unknown): Effect.Effect<Attached, JsonRpcError | PortError> =>
    Effect.gen(function*() {
      const entry = yield* alive(params)
      if (typeof mode !== "string") return yield* wrong("the mode's id must be a string")
      yield* command(entry, { type: "set_permission_mode", mode })
      entry.settings = { ...entry.settings, mode }
      return entry
    })

  const setModel = (params: Open, model: unknown): Effect.Effect<Attached, JsonRpcError | PortError> =>
    Effect.gen(function*() {
      const entry = yield* alive(params)
      if (typeof model !== "string") return yield* wrong("the model's id must be a string")
      yield* command(entry, { type: "set_model", model })
      entry.settings = { ...entry.settings, model }
      return entry
    })

  const setOption = (params: Open): Rpc.Handled =>
    Effect.gen(function*() {
      const { configId, value } = params
      if (configId !== "mode" && configId !== "model") {
        return yield* wrong(`there is no option "${String(configId)}"`)
      }
      const entry = yield* configId === "mode" ? setMode(params, value) : setModel(params, value)
      return { result: { configOptions: configOptionsOf(entry) } }
    })

  const initialize = (params: Open): Rpc.Handled =>
    Effect.sync(() => {
      client = open(params["clientCapabilities"])
      clientName = text(open(params["clientInfo"])["name"]) ?? "client"
      return { result: initialized(options.version) }
    })

  const authenticate: Rpc.Handled = Effect.gen(function*() {
    const port = yield* options.port
    yield* port.list
    return { result: {} }
  }).pipe(Effect.mapError((error) => new JsonRpcError({ code: authRequired, reason: error.message })))

  const handle = (method: string, params: Open, id: JsonRpcId): Rpc.Handled | undefined => {
    switch (method) {
      case "initialize":
        return initialize(params)
      case "authenticate":
        return authenticate
      case "session/new":
        return newSession(params)
      case "session/load":
        return comeBack(params, true)
      case "session/resume":
        return comeBack(params, false)
      case "session/list":
        return list(params)
      case "session/close":
        return close(params)
      case "session/delete":
        return remove(params)
      case "session/prompt":
        return prompt(params, id)
      case "session/set_mode":
        return Effect.as(setMode(params, params["modeId"]), { result: {} })
      case "session/set_model":
        return Effect.as(setModel(params, params["modelId"]), { result: {} })
      case "session/set_config_option":
        return setOption(params)
      default:
        return undefined
    }
  }

  const heed = (method: string, params: Open): void => {
    if (method === "session/cancel") {
      for (const [prompt, id] of waiting) if (id === params["sessionId"]) prompt.isCancelled = true
      fork(Effect.ignore(Effect.flatMap(openEntry(params), (entry) => stop(entry))))
    }
    if (method === "$/cancel_request") {
      const stopIt = running.get(params["requestId"] as JsonRpcId) // An invalid key is not found.
      if (stopIt !== undefined) fork(Effect.ignore(stopIt()))
    }
  }

  const agent: AcpAgent = {
    receive: rpc.receive,
    close: rpc.close,
    over: Effect.suspend(() =>
      Effect.forEach([...attached.values()], ({ over }) => Deferred.await(over), { discard: true })
    )
  }
  return agent
})
