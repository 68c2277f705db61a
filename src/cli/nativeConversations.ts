/**
 * nativeConversations: conversations held with agents in a terminal: `ai-relay sessions native` lists them, `attach --native ID`
 * and `run --native ID` continue one.
 */
import { Clock, Console, Effect, Schema } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { type Address, answerOf, clientOptions, CommandError, toAddress } from "./clientOptions.js"
import { orUndefined } from "./options.js"
import { safeJson, visibleLine } from "./printable.js"
import { ago, toTable } from "./table.js"

const List = Schema.Struct({
  sessions: Schema.Array(
    Schema.Struct({
      tool: Schema.String,
      native_session_id: Schema.String,
      folder: Schema.String,
      last_active_at: Schema.Number,
      title: Schema.optionalKey(Schema.String),
      open: Schema.optionalKey(Schema.Struct({ by: Schema.String, pid: Schema.optionalKey(Schema.Number) }))
    })
  )
})
export type NativeConversation = (typeof List.Type)["sessions"][number]

const list = (address: Address, query: Readonly<Record<string, string>>) =>
  Effect.map(
    answerOf(address, `/native-sessions?${new URLSearchParams(query)}`, List),
    ({ sessions }) => sessions
  )

/** The conversation with this id, or whose id starts like this. `tool`: ask this agent, which may have to be started for its list. */
export const findNative = Effect.fn("findNative")(function*(address: Address, id: string, tool?: string) {
  const found = (yield* list(address, { q: id, limit: "200", ...(tool !== undefined && { tool }) }))
    .filter(({ native_session_id }) => native_session_id.startsWith(id))
  const exact = found.find(({ native_session_id }) => native_session_id === id)
  const [one, ...others] = exact === undefined ? found : [exact]
  if (one !== undefined && others.length === 0) return one
  return yield* new CommandError({
    reason: one === undefined
      ? `there is no conversation "${id}" that this relay may show: \`ai-relay sessions native\` lists them`
      : `${found.length} conversations begin with "${id}": type more of the id`
  })
})

/** Where it is open, for the list. */
const holderOf = ({ open }: NativeConversation): string =>
  open === undefined ? "" : open.pid === undefined ? open.by : `${open.by} (${open.pid})`

const { json, ...where } = clientOptions

export const nativeConversations = Command.make(
  "native",
  {
    ...where,
    json,
    tool: Flag.String("tool").pipe(Flag.optional),
    words: Argument.variadic(Argument.String("words"))
  },
  ({ json, tool, words, ...given }) =>
    Effect.gen(function*() {
      const address = yield* toAddress(given)
      const wanted = orUndefined(tool)
      const sessions = yield* list(address, {
        ...(wanted !== undefined && { tool: wanted }),
        ...(words.length > 0 && { q: words.join(" ") })
      })
      if (json) return yield* Console.log(safeJson(JSON.stringify({ sessions }, null, 2)))
      if (sessions.length === 0) {
        return yield* Console.log(
          "There are no conversations that this relay may show: it shows those in folders below its --root."
        )
      }
      const now = (yield* Clock.currentTimeMillis) / 1000
      yield* Console.log(toTable(
        ["ID", "TOOL", "FOLDER", "OPEN IN", "LAST ACTIVE", "TITLE"],
        sessions.map((one) => [
          one.native_session_id,
          visibleLine(one.tool),
          visibleLine(one.folder),
          holderOf(one),
          ago(now - one.last_active_at),
          visibleLine((one.title ?? "").slice(0, 60))
        ])
      ))
    })
)
