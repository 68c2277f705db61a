/**
 * policyTest: `ai-relay policy test RULES [SESSION…]` shows what a rule file would have decided about the permission requests
 * of saved sessions. It only reads. Paths are resolved as they are now; "until" is compared with the time of the request.
 */
import { Console, Effect, Option, Schema } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { PermissionRequest } from "../schema/index.js"
import { messageOf } from "../schema/messageOf.js"
import * as SessionFiles from "../services/journal/SessionFiles.js"
import * as SessionRecord from "../services/journal/SessionRecord.js"
import { lastSeqOf, textsOf } from "../services/log/frames.js"
import * as Policy from "../services/policy/Policy.js"
import { CommandError } from "./clientOptions.js"
import { relayOptions } from "./options.js"
import { safeJson, visibleLine } from "./printable.js"
import { sayUnreadable } from "./sessions.js"

/** One request, the verdict of these rules, and how it was answered at the time. */
interface Tested extends Policy.Decision {
  readonly session_id: string
  readonly seq: number
  /** Unix time in seconds. */
  readonly ts: number
  readonly agent: string
  readonly folder: string
  readonly tool: string
  readonly args: unknown
  /** How it was answered, and by which rule, if any; absent if it was not answered. */
  readonly then?: "allow" | "deny" | "cancelled"
  readonly then_by?: string
}

const Frame = Schema.Struct({ seq: Schema.Finite, ts: Schema.Finite })
const Settled = Schema.Struct({
  type: Schema.Literals(["control_response", "permission_cancelled"]),
  request_id: Schema.String,
  status: Schema.optionalKey(Schema.String),
  metadata: Schema.optionalKey(Schema.Struct({
    by: Schema.optionalKey(Schema.Struct({ policy: Schema.optionalKey(Schema.String) }))
  }))
})
const readFrame = Schema.decodeUnknownOption(Frame)
const readRequest = Schema.decodeUnknownOption(PermissionRequest)
const readSettled = Schema.decodeUnknownOption(Settled)

/** Most frames are deltas; only the others are parsed. */
const isOfInterest = (frame: string) =>
  /"type":"(?:permission_(?:request|cancelled)|control_response)"/.test(frame)

const parsed = Option.liftThrowable((frame: string): unknown => JSON.parse(frame))

const outcomeOf = ({ metadata, status, type }: typeof Settled.Type): Pick<Tested, "then" | "then_by"> => {
  const by = metadata?.by?.policy
  return {
    ...(type === "permission_cancelled"
      ? { then: "cancelled" as const }
      : (status === "allow" || status === "deny") && { then: status }),
    ...(by !== undefined && { then_by: by })
  }
}

/** All requests of a session, in order. */
const testSession = (
  rules: Policy.PolicyFile,
  sessions: string,
  { handshake, summary }: SessionRecord.SessionRecord
): ReadonlyArray<Tested> => {
  const agent = summary.tool === "" ? handshake.tool ?? "" : summary.tool
  const folder = summary.folder === "" ? handshake.folder ?? "" : summary.folder
  const { session_id } = summary
  const found: Array<Tested> = []
  /** Indexes in `found` of the requests without an answer yet. */
  const open = new Map<string, number>()
  const frames = SessionFiles.view(SessionRecord.filesOf(sessions, session_id))
  for (let batch = frames.read(0); batch !== undefined; batch = frames.read(lastSeqOf(batch))) {
    for (const text of textsOf(batch)) {
      if (!isOfInterest(text)) continue
      const event = Option.getOrUndefined(parsed(text))
      const place = Option.getOrUndefined(readFrame(event))
      if (place === undefined) continue
      const ask = Option.getOrUndefined(readRequest(event))
      if (ask?.metadata.kind === "tool") {
        const { seq, ts } = place
        const decision = Policy.decide(rules, ask, { agent, folder, now: ts * 1000 })
        open.set(ask.request_id, found.length)
        found.push({ session_id, seq, ts, agent, folder, tool: ask.tool ?? "", args: ask.args, ...decision })
      }
      const settled = Option.getOrUndefined(readSettled(event))
      const index = settled && open.get(settled.request_id)
      const before = index === undefined ? undefined : found[index]
      if (settled === undefined || index === undefined || before === undefined) continue
      open.delete(settled.request_id)
      found[index] = { ...before, ...outcomeOf(settled) }
    }
  }
  return found
}

/** The rules would have allowed what was denied, or denied what was allowed. */
const differs = ({ then, verdict }: Tested) =>
  (verdict === "allow" && then === "deny") || (verdict === "deny" && then === "allow")

const reasonOf = ({ rule, unclear }: Tested): string =>
  unclear !== undefined
    ? `not fully understood: ${unclear}`
    : rule === undefined
    ? "no rule"
    : `rule "${rule}"`

const thenOf = (tested: Tested): string =>
  tested.then === undefined
    ? "open"
    : tested.then_by === undefined
    ? tested.then
    : `${tested.then} (${tested.then_by})`

/** The command or the file; other input as JSON. Never cut, so that the verdict can be checked. */
const inputOf = ({ args }: Tested): string => {
  const { command, file_path, path } = typeof args === "object" && args !== null
    ? args as Readonly<Record<string, unknown>>
    : {}
  const [only] = [command, file_path, path].filter((value) => typeof value === "string")
  return visibleLine(typeof only === "string" ? only : JSON.stringify(args) ?? "")
}

const count = (number: number, what: string) => `${number} ${what}${number === 1 ? "" : "s"}`

const toText = (sessions: number, tested: ReadonlyArray<Tested>): string => {
  const lines: Array<string> = []
  let session: string | undefined
  for (const one of tested) {
    if (one.session_id !== session) {
      session = one.session_id
      lines.push(`${visibleLine(session)}  ${visibleLine(one.agent)}  ${visibleLine(one.folder)}`)
    }
    lines.push(
      `${differs(one) ? "! " : "  "}${String(one.seq).padStart(6)}  ${one.verdict.padEnd(5)}  `
        + `${visibleLine(one.tool)}: ${inputOf(one)}`,
      `${" ".repeat(17)}${visibleLine(reasonOf(one))}; then: ${visibleLine(thenOf(one))}`
    )
  }
  const of = (verdict: Policy.Verdict) => tested.filter((one) => one.verdict === verdict).length
  const others = tested.filter(differs).length
  return [
    ...lines,
    `${count(tested.length, "request")} in ${count(sessions, "session")}: `
    + `${of("allow")} allow, ${of("ask")} ask, ${of("deny")} deny`
    + (others === 0 ? "" : `; ${others} against what was answered then (marked with !)`)
  ].join("\n")
}

const test = Command.make(
  "test",
  {
    json: Flag.Boolean("json").pipe(Flag.withoutNegation, Flag.withDefault(false)),
    state_dir: relayOptions.state_dir,
    config: relayOptions.config,
    rules: Argument.String("rules"),
    sessions: Argument.variadic(Argument.String("session"))
  },
  ({ json, rules, sessions, state_dir }) =>
    Effect.gen(function*() {
      const file = yield* Policy.load(rules)
      const folder = SessionRecord.folderIn(state_dir)
      const { records: kept, unreadable } = yield* SessionRecord.list(folder)
      yield* sayUnreadable(state_dir, unreadable)
      const unknown = sessions.find((name) => !kept.some(({ summary }) => summary.session_id === name))
      if (unknown !== undefined) {
        return yield* new CommandError({
          reason:
            `no session "${unknown}" is saved in ${state_dir}: \`ai-relay sessions\` lists the saved ones`
        })
      }
      const chosen = kept.filter(({ summary }) =>
        sessions.length === 0 || sessions.includes(summary.session_id)
      )
      const tested = yield* Effect.try({
        try: () => chosen.flatMap((record) => testSession(file, folder, record)),
        catch: (cause) =>
          new CommandError({
            reason: `a session in ${folder} cannot be read (${messageOf(cause)}): name the sessions to test`
          })
      })
      yield* Console.log(
        json ? safeJson(JSON.stringify({ requests: tested }, null, 2)) : toText(chosen.length, tested)
      )
    })
)

export const policy = Command.make("policy", {}, () =>
  new CommandError({
    reason: "missing subcommand: ai-relay policy test RULES [SESSION…]"
  })).pipe(Command.withSubcommands([test]))
