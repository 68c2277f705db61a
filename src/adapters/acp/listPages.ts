/** listPages: the conversations an agent lists (`session/list`), page by page. */
import { Effect, Option, Schema } from "effect"
import type { JsonRpcPeer } from "../wire/JsonRpcPeer.js"
import { items, text } from "../wire/lenient.js"

const listWithin = "30 seconds"
/** Of longer lists the newest are enough. */
const mostPages = 20

const Page = Schema.Struct({
  sessions: items(Schema.Struct({ sessionId: Schema.String, cwd: text, title: text, updatedAt: text })),
  nextCursor: text
})
const readPage = Schema.decodeUnknownOption(Page)

export type ListedSession = (typeof Page.Type)["sessions"][number]

/** Of this folder, or of all that the agent tells without one; no further than to the page that has what is looked for. */
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
