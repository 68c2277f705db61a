/**
 * nativeRoutes: conversations held with agents in a terminal, over HTTP.
 *
 * - `GET /native-sessions?tool=&folder=&q=&limit=&cursor=`: the most recently written first.
 * - `GET /native-sessions/TOOL/ID`: one conversation, with its counts.
 * - `GET /native-sessions/TOOL/ID/events?before=&limit=`: a page of its turns, oldest first. Events are as
 *   on the socket, without `seq` and `session_id`; `before` in the answer leads to the previous page.
 */
import { Effect } from "effect"
import {
  type NativeListing,
  type NativeNotFound,
  type NativeQuery,
  NativeSessions
} from "../services/native/NativeSessions.js"
import { SessionRegistry } from "../services/session/SessionRegistry.js"
import { type Answer, Refused, sendJson } from "./Call.js"

/** Turns per page, by default and at most. */
const turnsOfPage = { usual: 20, most: 200 } as const
const bytesOfPage = 4 * 1024 * 1024

const numberOf = (text: string | null): number | undefined => {
  const value = Number(text ?? Number.NaN)
  return Number.isInteger(value) && value > 0 ? value : undefined
}

const queryOf = (query: URLSearchParams): NativeQuery => {
  const text = (name: string) => query.get(name) || undefined
  return {
    tool: text("tool"),
    folder: text("folder"),
    q: text("q")?.slice(0, 200),
    limit: numberOf(query.get("limit")),
    cursor: text("cursor")
  }
}

/** Says which conversations are open in a live session of this relay. */
const withRelay = Effect.map(SessionRegistry, (registry) => {
  const live = new Map(
    registry.all().flatMap(({ id, log }) => {
      const { native_session_id, tool } = log.summary()
      return native_session_id === undefined ? [] : [[`${tool} ${native_session_id}`, id] as const]
    })
  )
  return (listing: NativeListing): NativeListing => {
    const session_id = live.get(`${listing.tool} ${listing.native_session_id}`)
    return session_id === undefined ? listing : { ...listing, open: { by: "relay", session_id } }
  }
})

const notFound = ({ message }: NativeNotFound) => new Refused({ status: 404, reason: message })

export const listNative: Answer = Effect.fnUntraced(function*({ query, response }) {
  const { sessions, ...rest } = yield* Effect.mapError((yield* NativeSessions).list(queryOf(query)), notFound)
  yield* sendJson(response, 200, { sessions: sessions.map(yield* withRelay), ...rest })
})

type Conversation = "/native-sessions/{tool}/{native_session_id}"

export const describeNative: Answer<Conversation> = Effect.fnUntraced(function*({ params, response }) {
  const native = yield* NativeSessions
  const found = native.find(params.tool, params.native_session_id)
  const listing = yield* Effect.mapError(Effect.flatMap(found, native.describe), notFound)
  yield* sendJson(response, 200, (yield* withRelay)(listing))
})

export const readNative: Answer<Conversation> = Effect.fnUntraced(function*({ params, query, response }) {
  const native = yield* NativeSessions
  const place = {
    before: query.get("before") || undefined,
    turns: Math.min(numberOf(query.get("limit")) ?? turnsOfPage.usual, turnsOfPage.most),
    bytes: bytesOfPage
  }
  const { before, events } = yield* native.find(params.tool, params.native_session_id).pipe(
    Effect.flatMap((found) => native.page(found, place)),
    Effect.mapError(notFound)
  )
  yield* sendJson(response, 200, {
    events: events.map(({ event, ts }) => ({ ...event, ts })),
    ...(before !== undefined && { before })
  })
})
