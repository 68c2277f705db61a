/**
 * sessions: `ai-relay sessions` lists what is kept in the state folder, the most recently active first. It only reads:
 * relays that use the folder are not disturbed. A session is live when the relay that has it open is alive.
 */
import { Clock, Console, Effect } from "effect"
import { Command, Flag } from "effect/cli"
import * as SessionRecord from "../services/journal/SessionRecord.js"
import type { SessionSummary } from "../services/log/SessionSummary.js"
import { relayOptions } from "./options.js"
import { safeJson, visibleLine } from "./printable.js"

interface Listed extends SessionSummary {
  readonly state: "live" | "closed"
}

const toListed = (kept: SessionRecord.SessionRecord): Listed => {
  const { handshake: { folder = "", tool = "" }, summary } = kept
  return {
    ...summary,
    // Nothing has happened in it yet.
    ...(summary.last_seq === 0 && { tool, folder }),
    state: SessionRecord.openedBy(kept) === undefined ? "closed" : "live"
  }
}

const ago = (seconds: number): string =>
  seconds < 60
    ? "now"
    : seconds < 3600
    ? `${Math.floor(seconds / 60)} min ago`
    : seconds < 48 * 3600
    ? `${Math.floor(seconds / 3600)} h ago`
    : `${Math.floor(seconds / 86_400)} days ago`

const titles = ["ID", "TOOL", "FOLDER", "STATE", "LAST ACTIVE", "TURNS", "COST"]

const toTable = (sessions: ReadonlyArray<Listed>, now: number): string => {
  const rows = sessions.map(({ cost_usd, folder, last_active_at, session_id, state, tool, turns }) => [
    session_id,
    visibleLine(tool),
    visibleLine(folder),
    state,
    last_active_at === 0 ? "" : ago(now - last_active_at),
    String(turns),
    cost_usd === 0 ? "" : `$${cost_usd.toFixed(2)}`
  ])
  const widths = titles.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0))
  )
  return [titles, ...rows]
    .map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ").trimEnd())
    .join("\n")
}

export const sessions = Command.make(
  "sessions",
  {
    json: Flag.Boolean("json").pipe(Flag.withoutNegation, Flag.withDefault(false)),
    state_dir: relayOptions.state_dir,
    config: relayOptions.config
  },
  ({ json, state_dir }) =>
    Effect.gen(function*() {
      const sessions = (yield* SessionRecord.list(SessionRecord.folderIn(state_dir))).map(toListed)
      if (json) return yield* Console.log(safeJson(JSON.stringify({ sessions }, null, 2)))
      if (sessions.length === 0) return yield* Console.log(`No session is kept in ${state_dir}.`)
      yield* Console.log(toTable(sessions, (yield* Clock.currentTimeMillis) / 1000))
    })
)
