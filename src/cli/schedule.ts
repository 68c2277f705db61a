/** schedule: `ai-relay schedule …` sends a prompt to a session later, once or repeatedly; lists, pauses and removes schedules. */
import { Console, Effect, Option, Schema } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { type Address, askRelay, clientOptions, CommandError, toAddress } from "./clientOptions.js"
import { safeJson, visibleLine } from "./printable.js"

const { json, ...where } = clientOptions

const Listed = Schema.Struct({
  schedule_id: Schema.String,
  session_id: Schema.String,
  text: Schema.String,
  every: Schema.optionalKey(Schema.String),
  time_zone: Schema.optionalKey(Schema.String),
  next_at: Schema.optionalKey(Schema.Number),
  paused: Schema.Boolean,
  runs: Schema.Number,
  missed: Schema.Number,
  last: Schema.optionalKey(Schema.Struct({ at: Schema.Number, status: Schema.String }))
})
type Listed = typeof Listed.Type
const readOne = Schema.decodeUnknownOption(Listed)
const readAll = Schema.decodeUnknownOption(Schema.Struct({ schedules: Schema.Array(Listed) }))
const readRefusal = Schema.decodeUnknownOption(Schema.Struct({ text: Schema.String }))

/** The body of the answer; fails with the relay's reason. */
const ask = Effect.fn("schedule.ask")(
  function*(address: Address, method: string, path: string, body?: object) {
    const answer = yield* askRelay(address, path, method, body)
    const said = yield* Effect.promise((): Promise<unknown> => answer.json().catch(() => undefined))
    if (answer.ok) return said
    return yield* new CommandError({
      reason: answer.status === 401
        ? "the relay requires a token: set --token or AI_RELAY_TOKEN"
        : Option.match(readRefusal(said), {
          onNone: () => `${address.url} does not support schedules: update that relay`,
          onSome: ({ text }) => text
        })
    })
  }
)

const local = (seconds: number) => new Date(seconds * 1000).toLocaleString("sv-SE").slice(0, 16)

const titles = ["ID", "SESSION", "WHEN", "NEXT", "RUNS", "MISSED", "PROMPT"]
const longestPrompt = 40

const rowOf = (
  { every, missed, next_at, paused, runs, schedule_id, session_id, text, time_zone }: Listed
) => [
  schedule_id,
  session_id,
  every === undefined ? "once" : [every, time_zone ?? ""].join(" ").trim(),
  paused ? "paused" : next_at === undefined ? "" : local(next_at),
  String(runs),
  String(missed),
  visibleLine(text).slice(0, longestPrompt)
]

export const toTable = (schedules: ReadonlyArray<Listed>): string => {
  const rows = [titles, ...schedules.map(rowOf)]
  const widths = titles.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ").trimEnd())
    .join("\n")
}

const list = Command.make(
  "list",
  { ...where, json, session: Argument.optional(Argument.String("session")) },
  ({ json, session, token, url }) =>
    Effect.gen(function*() {
      const address = yield* toAddress({ token, url })
      const query = Option.match(session, {
        onNone: () => "",
        onSome: (id) => `?session_id=${encodeURIComponent(id)}`
      })
      const body = yield* ask(address, "GET", `/schedules${query}`)
      const { schedules } = Option.getOrElse(readAll(body), () => ({ schedules: [] }))
      if (json) return yield* Console.log(safeJson(JSON.stringify({ schedules }, null, 2)))
      yield* Console.log(schedules.length === 0 ? "There are no schedules." : toTable(schedules))
    })
)

/** A time as a person writes it, in Unix seconds: with a time zone, or in this machine's. */
const readTime = (text: string) => {
  const ms = Date.parse(text)
  return Number.isFinite(ms) ? Effect.succeed(ms / 1000) : new CommandError({
    reason: `"${text}" is not a time: write one such as 2026-12-01T09:00`
  })
}

const add = Command.make(
  "add",
  {
    ...where,
    at: Flag.optional(Flag.String("at")),
    every: Flag.optional(Flag.String("every")),
    time_zone: Flag.optional(Flag.String("time-zone")),
    session: Argument.String("session"),
    prompt: Argument.String("prompt")
  },
  ({ at, every, prompt, session, time_zone, token, url }) =>
    Effect.gen(function*() {
      if (Option.isSome(at) === Option.isSome(every)) {
        return yield* new CommandError({
          reason:
            "say when: either --at TIME, such as 2026-12-01T09:00, or --every CRON, such as \"0 9 * * 1-5\""
        })
      }
      const address = yield* toAddress({ token, url })
      const own = Intl.DateTimeFormat().resolvedOptions().timeZone
      const body = yield* ask(address, "POST", "/schedules", {
        session_id: session,
        content: prompt,
        ...(Option.isSome(at) && { at: yield* readTime(at.value) }),
        ...(Option.isSome(every) && {
          every: every.value,
          time_zone: Option.getOrElse(time_zone, () => own)
        })
      })
      const made = Option.getOrUndefined(readOne(body))
      yield* Console.log(
        made?.next_at === undefined ? "It is saved." : `${made.schedule_id}: next at ${local(made.next_at)}`
      )
    })
)

const one = { ...where, schedule: Argument.String("id") }
const pathOf = (schedule_id: string) => `/schedules/${encodeURIComponent(schedule_id)}`

const change = (name: "pause" | "continue") =>
  Command.make(name, one, ({ schedule, token, url }) =>
    Effect.gen(function*() {
      const address = yield* toAddress({ token, url })
      yield* ask(address, "PATCH", pathOf(schedule), { paused: name === "pause" })
    }))

const remove = Command.make("remove", one, ({ schedule, token, url }) =>
  Effect.gen(function*() {
    const address = yield* toAddress({ token, url })
    yield* ask(address, "DELETE", pathOf(schedule))
  }))

export const schedule = Command.make("schedule").pipe(
  Command.withSubcommands([add, list, change("pause"), change("continue"), remove])
)
