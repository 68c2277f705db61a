/**
 * Policy: the operator's rules for what agents may do without asking and what they may never do; the same for every agent.
 *
 * The first matching rule decides. A call with several commands gets the strictest of their verdicts. A call that is not fully
 * understood (`shellCommands.ts`, a path that does not resolve, an unknown argument) is never allowed by a rule: a person is
 * asked. Rules that deny are applied to such calls as far as possible.
 *
 * Rules come only from the operator's file, read once at the start; files in a session's folder are never consulted.
 */
import { Effect, Result, Schema } from "effect"
import { readFileSync, statSync } from "node:fs"
import { relative, sep } from "node:path"
import type { PermissionRequest } from "../../schema/index.js"
import { jsonReader } from "../../schema/jsonFile.js"
import { messageOf } from "../../schema/messageOf.js"
import { nameOf, type ShellCommand } from "./shellCommands.js"
import { callOf, type ToolCall } from "./toolCall.js"

const Words = Schema.Array(Schema.NonEmptyString)
const Kind = Schema.Literals(["execute", "edit", "read", "fetch", "other"])

export const Rule = Schema.Struct({
  /** Its name, journaled with each verdict. */
  name: Schema.NonEmptyString,
  verdict: Schema.Literals(["allow", "ask", "deny"]),
  /** Kinds of tools. Default: any. */
  kinds: Schema.optionalKey(Schema.Array(Kind)),
  /** Tools by the agent's own names; `*` matches anything. */
  tools: Schema.optionalKey(Words),
  /** Commands by their first words, such as ["git", "status"]. */
  commands: Schema.optionalKey(Schema.Array(Schema.NonEmptyArray(Schema.NonEmptyString))),
  /** The command must have exactly these words. */
  exact: Schema.optionalKey(Schema.Boolean),
  /**
   * Files, after resolving links: absolute, or below {folder}, the session's folder; with * and **. A rule that allows edits has to
   * spell names that begin with a dot.
   */
  paths: Schema.optionalKey(Words),
  /** Agents by their `tool`. */
  agents: Schema.optionalKey(Words),
  /** The session's folder; with * and **. */
  folders: Schema.optionalKey(Words),
  /** Who granted it, for people. */
  by: Schema.optionalKey(Schema.NonEmptyString),
  /** An ISO time after which it does not count. */
  until: Schema.optionalKey(Schema.NonEmptyString)
})
export type Rule = typeof Rule.Type

export const PolicyFile = Schema.Struct({
  $schema: Schema.optionalKey(Schema.String),
  rules: Schema.Array(Rule)
})
export type PolicyFile = typeof PolicyFile.Type

/** The rules cannot be used. The relay does not start without them. */
export class PolicyUnusable extends Schema.TaggedError<PolicyUnusable>()("PolicyUnusable", {
  reason: Schema.String
}) {
  override get message() {
    return this.reason
  }
}

export type Verdict = "allow" | "ask" | "deny"

export interface Decision {
  readonly verdict: Verdict
  /** The rule that decided; absent if none did. */
  readonly rule?: string
  /** Why a person is asked although a rule would allow a part of the call. */
  readonly unclear?: string
}

/** Where and when a call is made. */
export interface Place {
  readonly agent: string
  readonly folder: string
  /** Unix time in ms. */
  readonly now: number
}

/** What `**` and `*` consist of: any character, and any of a name. */
interface Wild {
  readonly any: string
  readonly ofName: string
}
const everything: Wild = { any: ".", ofName: "[^/]" }
/** Everything but names that begin with a dot. */
const plainNames: Wild = { any: "(?:[^.]|(?<!/)\\.)", ofName: "(?:[^./]|(?<!/)\\.)" }

/** A glob: `**` matches any path, `*` and `?` stay within a name. */
const glob = (pattern: string, { any, ofName } = everything): RegExp =>
  new RegExp(
    `^${
      pattern.split(/(\*\*\/|\*\*|\*|\?)/).map((part) =>
        part === "**/"
          ? `(?:${any}*/)?`
          : part === "**"
          ? `${any}*`
          : part === "*"
          ? `${ofName}*`
          : part === "?"
          ? ofName
          : part.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)
      ).join("")
    }$`,
    "su"
  )

const matchesAny = (patterns: ReadonlyArray<string>, text: string, wild = everything) =>
  patterns.some((pattern) => glob(pattern, wild).test(text))

/** Whether a name matches one of these patterns, where `*` matches anything. */
const named = (patterns: ReadonlyArray<string>, text: string) =>
  patterns.some((pattern) => glob(pattern.replaceAll("*", "**")).test(text))

const beginsWith = (words: ReadonlyArray<string>, first: ReadonlyArray<string>, exact: boolean) =>
  (exact ? words.length === first.length : words.length >= first.length)
  && first.every((word, index) => words[index] === word)

/** Whether a command has this program, at any path, and these words in this order, with anything between them. */
const holds = (words: ReadonlyArray<string>, [program = "", ...rest]: ReadonlyArray<string>): boolean => {
  const [own = "", ...args] = words
  if (nameOf(own) !== nameOf(program)) return false
  let at = 0
  for (const word of rest) {
    const found = args.indexOf(word, at)
    if (found === -1) return false
    at = found + 1
  }
  return true
}

/** One act of a call: a command, a file it writes or reads, or the call itself if it is neither. */
type Act =
  | { readonly command: ShellCommand }
  | { readonly path: string; readonly kind: "edit" | "read" }
  | { readonly whole: true }

const actsOf = (call: ToolCall): ReadonlyArray<Act> => {
  if (call.kind === "execute") {
    return call.commands.flatMap((command): ReadonlyArray<Act> => [
      ...command.words.length > 0 ? [{ command }] : [],
      ...command.redirects.flatMap(({ kind, path }) =>
        call.resolve(path).map((path): Act => ({ path, kind: kind === "write" ? "edit" : "read" }))
      )
    ])
  }
  return call.paths.length > 0 && (call.kind === "edit" || call.kind === "read")
    ? call.paths.map((path) => ({ path, kind: call.kind === "edit" ? "edit" : "read" }))
    : [{ whole: true }]
}

const kindOf = (call: ToolCall, act: Act) => "path" in act ? act.kind : call.kind

/** Whether a name on the way from the folder to the path begins with a dot. */
const hasDotName = (path: string, folder: string): boolean =>
  relative(folder, path).split(sep).some((name) => name.startsWith(".") && name !== "..")

const matches = (rule: Rule, call: ToolCall, act: Act, { agent, folder, now }: Place): boolean => {
  if (rule.until !== undefined && !(Date.parse(rule.until) > now)) return false
  if (rule.agents !== undefined && !named(rule.agents, agent)) return false
  if (rule.folders !== undefined && !matchesAny(rule.folders, folder)) return false
  if (rule.tools !== undefined && !named(rule.tools, call.tool)) return false
  if (rule.kinds !== undefined && !rule.kinds.includes(kindOf(call, act))) return false
  if (rule.commands !== undefined) {
    if (!("command" in act)) return false
    const { words } = act.command
    const fits = rule.commands.some((first) =>
      rule.verdict === "allow" ? beginsWith(words, first, rule.exact === true) : holds(words, first)
    )
    if (!fits) return false
  }
  // Agents and other programs keep there what they obey: with a wildcard, an agent would allow itself more.
  const mustSpell = rule.verdict === "allow" && kindOf(call, act) === "edit"
  if (rule.paths !== undefined) {
    if (!("path" in act)) return false
    const patterns = rule.paths.map((path) => path.replace(/^\{folder\}/, () => escapeGlob(folder)))
    return matchesAny(patterns, act.path, mustSpell ? plainNames : everything)
  }
  return !(mustSpell && "path" in act && hasDotName(act.path, folder))
}

/** A folder for use in a glob. One whose own name contains wildcards never matches. */
const escapeGlob = (folder: string) => /[*?]/.test(folder) ? "\0" : folder

const strictness: Readonly<Record<Verdict, number>> = { allow: 0, ask: 1, deny: 2 }

/** The verdict of these rules on a call; "ask" without a name if no rule matches. */
export const decide = ({ rules }: PolicyFile, ask: PermissionRequest, place: Place): Decision => {
  if (ask.metadata.kind !== "tool") return { verdict: "ask" }
  const call = callOf(ask, place)
  const decisions = actsOf(call).map((act): Decision => {
    const rule = rules.find((one) => matches(one, call, act, place))
    return rule === undefined ? { verdict: "ask" } : { verdict: rule.verdict, rule: rule.name }
  })
  const [first = { verdict: "ask" as const }, ...others] = decisions
  const strictest = others.reduce(
    (worst, one) => strictness[one.verdict] > strictness[worst.verdict] ? one : worst,
    first
  )
  return strictest.verdict === "allow" && call.unclear !== undefined
    ? { verdict: "ask", unclear: call.unclear }
    : strictest
}

const read = jsonReader(PolicyFile)

const problemIn = ({ rules }: PolicyFile): string | undefined => {
  const names = new Set<string>()
  for (const rule of rules) {
    const { commands, exact, kinds, name, paths, tools, until, verdict } = rule
    if (names.has(name)) return `two rules are called "${name}": give each a different name`
    names.add(name)
    if (until !== undefined && Number.isNaN(Date.parse(until))) {
      return `"until" of the rule "${name}" is not a time: write it as 2026-12-31T00:00:00Z`
    }
    if (
      verdict === "allow" && commands === undefined && paths === undefined && tools === undefined &&
      kinds === undefined
    ) {
      return `the rule "${name}" would allow everything: give it kinds, tools, commands, or paths`
    }
    if (commands !== undefined && paths !== undefined) {
      return `the rule "${name}" has commands and paths, so it matches nothing: split it into two rules`
    }
    if (exact !== undefined && commands === undefined) {
      return `the rule "${name}" is exact but has no commands: add commands, or remove "exact"`
    }
  }
  return undefined
}

/** Parses rules; the error names the first problem. */
export const parse = (text: string, file: string): Effect.Effect<PolicyFile, PolicyUnusable> => {
  const rules = Result.flatMap(read(text), (rules) => {
    const problem = problemIn(rules)
    return problem === undefined ? Result.succeed(rules) : Result.fail(problem)
  })
  return Effect.mapError(
    Effect.fromResult(rules),
    (problem) => new PolicyUnusable({ reason: `the rules in ${file} cannot be used: ${problem}` })
  )
}

/** Loads the operator's file; fails if other users could change it. */
export const load = (file: string): Effect.Effect<PolicyFile, PolicyUnusable> =>
  Effect.try({
    try: () => ({ text: readFileSync(file, "utf8"), mode: statSync(file).mode }),
    catch: (cause) =>
      new PolicyUnusable({
        reason: `the rules cannot be read (${messageOf(cause)}): check the path and its permissions`
      })
  }).pipe(
    Effect.flatMap(({ mode, text }) =>
      (mode & 0o022) !== 0
        ? new PolicyUnusable({ reason: `other users can write to ${file}: \`chmod go-w ${file}\`` })
        : parse(text, file)
    )
  )
