/** httpRoutes: the answer of each route in the table (`schema/routes.ts`). */
import { Effect, Option } from "effect"
import type { IncomingMessage, ServerResponse } from "node:http"
import { hostname } from "node:os"
import { isSessionId } from "../schema/index.js"
import { type RouteId, type Routes, routes } from "../schema/routes.js"
import { longestTitle, SessionChange } from "../schema/SessionChange.js"
import { Auth } from "../services/access/Auth.js"
import { isWithin, Principal } from "../services/access/Principal.js"
import { AgentFindings } from "../services/agents/AgentFindings.js"
import { BudgetBook } from "../services/budget/BudgetBook.js"
import { Journal, SessionNotFound } from "../services/journal/Journal.js"
import { Timetable } from "../services/schedule/Timetable.js"
import { SearchIndex } from "../services/search/SearchIndex.js"
import { SessionRegistry } from "../services/session/SessionRegistry.js"
import { version } from "../services/version.js"
import {
  type Answer,
  lazily,
  numberIn,
  readBody,
  Refused,
  sendJson,
  sendJsonText,
  sendNothing,
  wrong
} from "./Call.js"
import { metricsText } from "./metricsText.js"
import { describeNative, listNative, readNative } from "./nativeRoutes.js"
import { answerPush, getPush, subscribePush, unsubscribePush } from "./pushRoutes.js"
import { addSchedule, changeSchedule, listSchedules, removeSchedule } from "./scheduleRoutes.js"
import { sendEvents } from "./sendEvents.js"
import { listTokens, pairDevice, revokeToken, shareSession } from "./tokenRoutes.js"
import { usageAnswer } from "./usageAnswer.js"

/** The answer to `/`, and part of the answer to unknown paths. */
export const hint =
  "This is ai-relay. Connect a WebSocket and send a handshake, such as {\"tool\":\"claude\",\"folder\":\".\"}. "
  + `Over HTTP there are ${
    [...new Set(Object.values(routes).map(({ path }) => path))].slice(1).join(", ")
  }; the last`
  + " describes them."

/** The session id in a path; fails if it is not valid. */
const idOf = ({ session_id }: { readonly session_id: string }) =>
  isSessionId(session_id) ? Effect.succeed(session_id) : new SessionNotFound({ session_id })

/** A contract file. They are large and rarely requested, so they are loaded on demand, and made once. */
const contract = (name: "schema.json" | "asyncapi.json" | "openapi.json"): Answer => {
  let made: string | undefined
  return ({ response }) =>
    Effect.flatMap(
      Effect.promise(() => import("../schema/contracts/index.js")),
      ({ contracts }) => sendJsonText(response, 200, made ??= JSON.stringify(contracts[name]()))
    )
}

/** The `seq` to continue after: `after_seq`, or the Last-Event-ID that a browser's EventSource sends when it reconnects. */
const placeOf = (query: URLSearchParams, request: IncomingMessage): number => {
  const places = [query.get("after_seq"), request.headers["last-event-id"]].map(Number)
  return Math.max(0, ...places.filter(Number.isInteger))
}

const sendMetrics = (response: ServerResponse) =>
  Effect.map(metricsText, (text) => {
    response.writeHead(200, { "content-type": "text/plain; version=0.0.4; charset=utf-8" })
    response.end(text)
  })

/** Loaded at the first request of such a client. */
const agui = () => import("./aguiRoutes.js")
const workspace = () => import("./workspaceRoutes.js")

export const answers: { readonly [Id in RouteId]: Answer<Routes[Id]["path"]> } = {
  hello: ({ response }) => sendJson(response, 200, { text: hint }),
  isAlive: ({ response }) => sendJson(response, 200, { status: "ok" }),
  isReady: Effect.fnUntraced(function*({ response }) {
    const table = Option.getOrUndefined(yield* Effect.serviceOption(Timetable))
    const book = Option.getOrUndefined(yield* Effect.serviceOption(BudgetBook))
    const troubles = {
      "sessions are": (yield* Journal).trouble(),
      "schedules are": table?.trouble(),
      "usage is": book?.ledger.trouble()
    }
    const [what, reason] = Object.entries(troubles).find(([, reason]) => reason !== undefined) ?? []
    yield* what === undefined
      ? sendJson(response, 200, { status: "ok" })
      : sendJson(response, 503, { status: `${what} not written to disk`, reason })
  }),
  whoAmI: Effect.fnUntraced(function*({ response }) {
    const { expires_at, limits, name, scopes } = yield* Principal
    yield* sendJson(response, 200, {
      admitted: true,
      ...(name !== undefined && { name }),
      scopes: [...scopes],
      ...limits,
      ...(expires_at !== undefined && { expires_at }),
      ...(limits === undefined && { version, machine: hostname() })
    })
  }),
  listAgents: Effect.fnUntraced(function*({ response }) {
    const { limits } = yield* Principal
    const found = yield* (yield* AgentFindings).all
    const agents = found.filter(({ tool }) => limits?.agents?.includes(tool) ?? true)
    const usual = yield* (yield* SessionRegistry).defaultFolder
    // Where a token cannot begin anything, it learns of no folder.
    const isTheirs = usual !== undefined && limits?.sessions === undefined
      && isWithin({ limits: { ...(limits?.folders !== undefined && { folders: limits.folders }) } }, {
        session_id: "",
        folder: usual,
        tool: ""
      })
    const folder = isTheirs ? usual : undefined
    yield* sendJson(response, 200, { agents, ...(folder !== undefined && { folder }) })
  }),
  listSessions: Effect.fnUntraced(function*({ query, response }) {
    const offset = yield* numberIn(query, "offset", 0, Number.MAX_SAFE_INTEGER)
    const limit = yield* numberIn(query, "limit", 1, 1000)
    const all = yield* (yield* SessionRegistry).list
    yield* sendJson(
      response,
      200,
      offset === undefined && limit === undefined
        ? { sessions: all }
        : { sessions: all.slice(offset, (offset ?? 0) + (limit ?? all.length)), total: all.length }
    )
  }),
  searchSessions: Effect.fnUntraced(function*({ query, response }) {
    const words = query.get("q")?.trim() ?? ""
    const limit = Number(query.get("limit") ?? 20)
    if (words === "" || !Number.isInteger(limit) || limit < 1 || limit > 100) {
      const reason =
        "send `q`, the words to search for, and optionally `limit`, 1 to 100: /search?q=total&limit=20"
      return yield* wrong(reason)
    }
    const found = yield* Effect.mapError(
      (yield* SearchIndex).search(words, limit),
      ({ message: reason }) => new Refused({ status: 409, code: "bad_command", reason })
    )
    yield* sendJson(response, 200, found)
  }),
  forgetSession: Effect.fnUntraced(function*({ params, response }) {
    yield* (yield* SessionRegistry).forget(yield* idOf(params))
    yield* sendNothing(response)
  }),
  changeSession: Effect.fnUntraced(function*({ params, request, response }) {
    const reason =
      `send JSON with \`title\` (at most ${longestTitle} characters), \`archived\` (true or false), or both`
    const change = yield* Effect.mapError(
      readBody(request, SessionChange, reason),
      // A title that is too long is refused like any other invalid body.
      () => wrong(reason)
    )
    yield* (yield* SessionRegistry).change(yield* idOf(params), change)
    yield* sendNothing(response)
  }),
  followSession: Effect.fnUntraced(function*(call) {
    const { params, query, request } = call
    const id = yield* idOf(params)
    const registry = yield* SessionRegistry
    const asked = placeOf(query, request)
    const { last_seq = 0 } = (yield* registry.listing(id)) ?? {}
    // A place beyond the last event belongs to an earlier session of this name.
    const after_seq = asked > last_seq ? 0 : asked
    const batches = yield* registry.read(id, after_seq)
    if (batches === undefined) return yield* new SessionNotFound({ session_id: id })
    yield* sendEvents(call, after_seq, batches)
  }),
  listCheckpoints: lazily(() => import("./checkpointRoutes.js").then(({ list }) => list)),
  previewRewind: lazily(() => import("./checkpointRoutes.js").then(({ preview }) => preview)),
  listFolders: lazily(() => workspace().then(({ listFolders }) => listFolders)),
  listFiles: lazily(() => workspace().then(({ listFiles }) => listFiles)),
  readFile: lazily(() => workspace().then(({ readFile }) => readFile)),
  sendFile: lazily(() => import("./sendFile.js").then(({ sendFile }) => sendFile)),
  findFiles: lazily(() => workspace().then(({ findFiles }) => findFiles)),
  listChanges: lazily(() => workspace().then(({ listChanges }) => listChanges)),
  diffFile: lazily(() => workspace().then(({ diffFile }) => diffFile)),
  stageFiles: lazily(() => workspace().then(({ stageFiles }) => stageFiles)),
  commitFiles: lazily(() => workspace().then(({ commitFiles }) => commitFiles)),
  attachFile: lazily(() => workspace().then(({ attachFile }) => attachFile)),
  listSchedules,
  addSchedule,
  changeSchedule,
  removeSchedule,
  shareSession,
  pairDevice,
  listTokens,
  revokeToken,
  getPush,
  subscribePush,
  unsubscribePush,
  answerPush,
  listNativeSessions: listNative,
  getNativeSession: describeNative,
  readNativeSession: readNative,
  getUsage: Effect.fnUntraced(function*({ query, response }) {
    const { body, status } = yield* usageAnswer(query)
    yield* sendJson(response, status, body)
  }),
  getMetrics: ({ response }) => sendMetrics(response),
  chat: lazily(() => import("./chatRoutes.js").then(({ post }) => post)),
  resumeChat: lazily(() => import("./chatRoutes.js").then(({ resume }) => resume)),
  stopChat: lazily(() => import("./chatRoutes.js").then(({ stop }) => stop)),
  answerChat: lazily(() => import("./chatRoutes.js").then(({ respond }) => respond)),
  listChatMessages: lazily(() => import("./chatRoutes.js").then(({ messages }) => messages)),
  aguiInfo: lazily(() => agui().then(({ describe }) => describe)),
  agui: lazily(() => agui().then(({ single }) => single)),
  runAgui: lazily(() => agui().then(({ runTool }) => runTool)),
  runAguiAgent: lazily(() => agui().then(({ runAgent }) => runAgent)),
  connectAguiAgent: lazily(() => agui().then(({ connectAgent }) => connectAgent)),
  stopAguiAgent: lazily(() => agui().then(({ stopAgent }) => stopAgent)),
  mcp: lazily(() => import("./mcpRoutes.js").then(({ mcp }) => mcp)),
  issueTicket: Effect.fnUntraced(function*({ response }) {
    yield* sendJson(response, 200, yield* (yield* Auth).ticket(yield* Principal))
  }),
  getJsonSchema: contract("schema.json"),
  getAsyncApi: contract("asyncapi.json"),
  getOpenApi: contract("openapi.json")
}
