/**
 * sessions: `ai-relay sessions` lists the sessions saved in the state folder, the most recently active first. It only reads
 * and does not disturb relays that use the folder. A session is live if the relay that has it open is alive. `rm`, `rename`,
 * `export` and `native` (conversations held in a terminal) ask a running relay.
 */
import { Clock, Console, Effect, Schema } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import * as SessionRecord from "../services/journal/SessionRecord.js"
import type { SessionSummary } from "../services/log/SessionSummary.js"
import {
  type Address,
  answerOf,
  clientOptions,
  CommandError,
  listSessions,
  sentEvents,
  toAddress
} from "./clientOptions.js"
import { nativeConversations } from "./nativeConversations.js"
import { relayOptions } from "./options.js"
import { plain, safeJson, visibleLine } from "./printable.js"
import { ago, toTable } from "./table.js"

interface Listed extends SessionSummary {
  readonly state: "live" | "closed"
}

const toListed = (kept: SessionRecord.SessionRecord): Listed => {
  const { handshake: { folder = "", tool = "" }, summary } = kept
  return {
    ...summary,
    // It has no events yet.
    ...(summary.last_seq === 0 && { tool, folder }),
    state: SessionRecord.openedBy(kept) === undefined ? "closed" : "live"
  }
}

/** Says which sessions are left out of a list. */
export const sayUnreadable = (state_dir: string, unreadable: ReadonlyArray<string>) =>
  unreadable.length === 0
    ? Effect.void
    : Console.error(
      `Left out, because they cannot be read: ${unreadable.join(", ")}. Check their files in ${
        SessionRecord.folderIn(state_dir)
      }.`
    )

const titles = ["ID", "TOOL", "FOLDER", "STATE", "LAST ACTIVE", "TURNS", "COST"]

const rowsOf = (sessions: ReadonlyArray<Listed>, now: number) =>
  sessions.map(({ cost_usd, folder, last_active_at, session_id, state, tool, turns }) => [
    session_id,
    visibleLine(tool),
    visibleLine(folder),
    state,
    last_active_at === 0 ? "" : ago(now - last_active_at),
    String(turns),
    cost_usd === 0 ? "" : `$${cost_usd.toFixed(2)}`
  ])

const one = Argument.String("session")
const { json: _json, ...where } = clientOptions
const pathOf = (session_id: string) => `/sessions/${encodeURIComponent(session_id)}`

const remove = Command.make(
  "rm",
  { ...where, sessions: Argument.variadic(one) },
  ({ sessions, ...given }) =>
    Effect.gen(function*() {
      if (sessions.length === 0) {
        return yield* new CommandError({ reason: "missing session: ai-relay sessions rm SESSION…" })
      }
      const address = yield* toAddress(given)
      for (const session_id of sessions) {
        yield* answerOf(address, pathOf(session_id), Schema.Unknown, "DELETE")
        yield* Console.log(`Removed ${session_id}.`)
      }
    })
)

const rename = Command.make(
  "rename",
  { ...where, session: one, title: Argument.variadic(Argument.String("title")) },
  ({ session, title, ...given }) =>
    Effect.gen(function*() {
      const address = yield* toAddress(given)
      const name = title.join(" ").trim()
      yield* answerOf(address, pathOf(session), Schema.Unknown, "PATCH", { title: name })
      yield* Console.log(
        name === "" ? `${session} has its automatic title again.` : `${session} is now called "${name}".`
      )
    })
)

/** The saved events of a session, one JSON object per line. */
const eventsOf = Effect.fnUntraced(function*(address: Address, session_id: string) {
  const found = (yield* listSessions(address)).find((session) => session.session_id === session_id)
  if (found === undefined) {
    return yield* new CommandError({
      reason: `there is no session "${session_id}": ai-relay sessions lists them`
    })
  }
  return yield* sentEvents(address, `${pathOf(session_id)}/events`, found.last_seq)
})

const exported = Command.make(
  "export",
  {
    ...where,
    session: one,
    markdown: Flag.Boolean("markdown").pipe(Flag.withoutNegation, Flag.withDefault(false))
  },
  ({ markdown, session, ...given }) =>
    Effect.gen(function*() {
      const events = yield* eventsOf(yield* toAddress(given), session)
      const { empty, reduce, toMarkdown } = yield* Effect.promise(() => import("../messages/index.js"))
      yield* Console.log(
        markdown
          ? plain(toMarkdown(reduce(empty, events)))
          : events.map((event) => safeJson(JSON.stringify(event))).join("\n")
      )
    })
)

export const sessions = Command.make(
  "sessions",
  {
    json: Flag.Boolean("json").pipe(Flag.withoutNegation, Flag.withDefault(false)),
    state_dir: relayOptions.state_dir,
    config: relayOptions.config
  },
  ({ json, state_dir }) =>
    Effect.gen(function*() {
      const { records, unreadable } = yield* SessionRecord.list(SessionRecord.folderIn(state_dir))
      const sessions = records.map(toListed)
      yield* sayUnreadable(state_dir, unreadable)
      if (json) return yield* Console.log(safeJson(JSON.stringify({ sessions }, null, 2)))
      if (sessions.length > 0) {
        return yield* Console.log(toTable(titles, rowsOf(sessions, (yield* Clock.currentTimeMillis) / 1000)))
      }
      if (unreadable.length === 0) yield* Console.log(`No sessions are saved in ${state_dir}.`)
    })
).pipe(Command.withSubcommands([remove, rename, exported, nativeConversations]))
