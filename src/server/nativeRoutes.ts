/**
 * nativeRoutes: the conversations people had in a terminal, over HTTP.
 *
 * - `GET /native-sessions?tool=&folder=&q=&limit=&cursor=`: the most recently written first.
 * - `GET /native-sessions/TOOL/ID`: one, with all that can be counted.
 * - `GET /native-sessions/TOOL/ID/events?before=&limit=`: what was said, a page of turns, oldest first. Each event is as
 *   on the socket but for `seq` and `session_id`; `before` in the answer leads to the page before.
 */
import { Effect } from "effect"
import { type NativeListing, type NativeQuery, NativeSessions } from "../services/native/NativeSessions.js"
import { SessionRegistry } from "../services/session/SessionRegistry.js"

export interface Answer {
  readonly status: number
  readonly body: unknown
}

const onePath = /^\/native-sessions\/([a-z][a-z0-9-]*)\/([^/]+?)(\/events)?$/

/** Turns of a page, unless it is asked for fewer or more; bytes it may have. */
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

/** The answer to this path, if it is one of these. */
export const answerNative = Effect.fnUntraced(function*(path: string, query: URLSearchParams) {
  const native = yield* NativeSessions
  const registry = yield* SessionRegistry

  /** What a live session of the relay's own has open, nobody else may. */
  const withRelay = () => {
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
  }

  const answer = Effect.gen(function*() {
    if (path === "/native-sessions") {
      const { sessions, ...rest } = yield* native.list(queryOf(query))
      return { sessions: sessions.map(withRelay()), ...rest }
    }
    const [, tool = "", id = "", isEvents] = onePath.exec(path) ?? []
    const found = yield* native.find(tool, id)
    if (isEvents === undefined) return withRelay()(yield* native.describe(found))
    const page = yield* native.page(found, {
      before: query.get("before") || undefined,
      turns: Math.min(numberOf(query.get("limit")) ?? turnsOfPage.usual, turnsOfPage.most),
      bytes: bytesOfPage
    })
    return {
      events: page.events.map(({ event, ts }) => ({ ...event, ts })),
      ...(page.before !== undefined && { before: page.before })
    }
  })

  if (path !== "/native-sessions" && !onePath.test(path)) return undefined
  return yield* answer.pipe(
    Effect.map((body): Answer => ({ status: 200, body })),
    Effect.catchTag(
      "NativeNotFound",
      ({ message }) => Effect.succeed<Answer>({ status: 404, body: { text: message } })
    )
  )
})
