/** sendSessions: the answer to `GET /sessions`, sent in pieces so that thousands of sessions do not delay others. */
import { Effect } from "effect"
import type { ServerResponse } from "node:http"
import type { SessionListing } from "../services/log/SessionListing.js"
import { makePause } from "../services/makePause.js"
import { drained } from "./drained.js"

/** Sessions per piece. */
const together = 50

interface Page {
  /** How many to skip. Default: 0. */
  readonly offset: number | undefined
  /** Default: all that follow. */
  readonly limit: number | undefined
}

/**
 * Writes headers and body: all sessions, or a page and how many there are. Completes when everything is handed to the socket,
 * or the client is gone.
 */
export const sendSessions = Effect.fnUntraced(function*(
  response: ServerResponse,
  all: ReadonlyArray<SessionListing>,
  page: Page | undefined
) {
  const pause = makePause()
  const { limit = all.length, offset = 0 } = page ?? {}
  const sessions = all.slice(offset, offset + limit)
  response.writeHead(200, {
    "content-type": "application/json; charset=utf-8",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff"
  })
  response.write("{\"sessions\":[")
  for (let at = 0; at < sessions.length && !response.destroyed; at += together) {
    const piece = sessions.slice(at, at + together).map((line) => JSON.stringify(line)).join(",")
    if (!response.write(at === 0 ? piece : `,${piece}`)) yield* drained(response)
    yield* pause
  }
  response.end(page === undefined ? "]}\n" : `],"total":${all.length}}\n`)
})
