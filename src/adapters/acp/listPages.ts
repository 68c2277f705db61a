/**
 * listPages: the conversations an agent lists (`session/list`), page by page.
 */
import { Effect, Option, Schema } from "effect"
import type { JsonRpcPeer } from "../wire/JsonRpcPeer.js"
import { items, text } from "../wire/lenient.js"

const listWithin = "30 seconds"
/** For longer lists, the newest are enough. */
const mostPages = 20

const Page = Schema.Struct({
  sessions: items(Schema.Struct({ sessionId: Schema.String, cwd: text, title: text, updatedAt: text })),
  nextCursor: text
})
const readPage = Schema.decodeUnknownOption(Page)

export type ListedSession = (typeof Page.Type)["sessions"][number]

/**
 * Conversations of `folder`, or without one all that the agent lists; stops at the page that contains the
 * requested one.
 */
export const listPages = Effect.fnUntraced(function*(
  peer: Pick<JsonRpcPeer, "request">,
  folder: string | undefined,
  isWanted: (session: ListedSession) => boolean = () => false
) {
  const found: Array<ListedSession> = []
  let cursor: string | undefined
  for (let page = 0; page < mostPages; page += 1) {
    const answer = yield* peer.request(
      "session/list",
      { ...(folder !== undefined && { cwd: folder }), ...(cursor !== undefined && { cursor }) },
      { within: listWithin }
    )
    const { nextCursor, sessions } = Option.getOrElse(
      readPage(answer),
      (): typeof Page.Type => ({ sessions: [] })
    )
    found.push(...sessions)
    if (nextCursor === undefined || nextCursor === "" || nextCursor === cursor || sessions.some(isWanted)) {
      break
    }
    cursor = nextCursor
  }
  return found
})
