/**
 * permission: Claude's questions as permission requests, and people's answers in Claude's words.
 *
 * "For this session" sends Claude's own suggestions back, always with `destination: "session"`: elsewhere they would
 * not apply in a folder whose trust dialog was never accepted.
 */
import { Predicate } from "effect"
import type { PermissionOption, PermissionRequest, RequestId } from "../../schema/index.js"
import type { PermissionAllowed, PermissionOutcome, PermissionUnanswered } from "../Adapter.js"
import type { CallIds } from "../wire/CallIds.js"
import { permissionModes } from "./ClaudeLaunch.js"
import type { CanUseTool } from "./ClaudeMessage.js"
import type { OpenCalls } from "./openCalls.js"

type Input = Readonly<Record<string, unknown>>

/** What to do with a tool; Claude offers no ids, so these are ours. */
const onceOptions: ReadonlyArray<PermissionOption> = [
  { option_id: "allow", name: "Allow once", kind: "allow_once" },
  { option_id: "deny", name: "Deny", kind: "reject_once" }
]
const sessionOption: PermissionOption = {
  option_id: "allow_session",
  name: "Allow for this session",
  kind: "allow_always"
}

/** Claude remembers what it suggested itself, and nothing else: without a suggestion it would ask the same again. */
const suggestionsOf = (
  { permission_suggestions = [], suppress_always_allow_rule }: CanUseTool,
  modes: ReadonlyArray<string>
): ReadonlyArray<Input> =>
  suppress_always_allow_rule === true
    ? []
    : permission_suggestions.filter(({ mode, type }) => type !== "setMode" || modes.includes(String(mode)))

const toRemember = (ask: CanUseTool, modes: ReadonlyArray<string>): ReadonlyArray<Input> =>
  suggestionsOf(ask, modes).map((suggestion) => ({ ...suggestion, destination: "session" }))

const toolOptions = (ask: CanUseTool, modes: ReadonlyArray<string>): ReadonlyArray<PermissionOption> =>
  toRemember(ask, modes).length > 0 ? onceOptions.toSpliced(1, 0, sessionOption) : onceOptions

/** How to leave plan mode. */
const planOptions: ReadonlyArray<PermissionOption> = [
  { option_id: "default", name: "Yes, and ask before each edit", kind: "allow_once" },
  { option_id: "acceptEdits", name: "Yes, and accept edits", kind: "allow_always" },
  { option_id: "deny", name: "No, keep planning", kind: "reject_once" }
]

const kindOf = (tool: string) =>
  tool === "AskUserQuestion" ? "question" : tool === "ExitPlanMode" ? "plan" : "tool"

/** What the tool is to run with; nobody can say what one of another shape means. */
const inputOf = ({ input }: CanUseTool): Input => Predicate.isObject(input) ? input : {}

/** Only answers that lead to a mode the operator allows. */
const planOptionsIn = (modes: ReadonlyArray<string>) =>
  planOptions.filter(({ option_id }) => option_id !== "acceptEdits" || modes.includes("acceptEdits"))

interface Known {
  readonly ids: Pick<CallIds, "of">
  /** Calls without a result. */
  readonly openCalls?: Pick<OpenCalls, "find">
}

/** `ids` has the names clients know tool calls by, `modes` are the permission modes Claude may be in. */
export const toPermissionRequest = (
  request_id: RequestId,
  ask: CanUseTool,
  { ids, openCalls }: Known,
  modes: ReadonlyArray<string> = permissionModes
): PermissionRequest => {
  const kind = kindOf(ask.tool_name)
  const plan = inputOf(ask)["plan"]
  // A subagent asks: it is told apart as what it says is.
  const call = openCalls?.find(ask.tool_use_id)
  const parent = call?.parent
  const text = kind === "plan" && typeof plan === "string"
    ? plan
    : ask.title ?? ask.description ?? ask.decision_reason
  return {
    type: "permission_request",
    request_id,
    tool: ask.tool_name,
    args: ask.input ?? {},
    ...(ask.tool_use_id !== undefined && { tool_use_id: call?.tool_use_id ?? ids.of(ask.tool_use_id) }),
    ...(text !== undefined && { text }),
    metadata: {
      kind,
      ...(kind !== "question" &&
        { options: kind === "plan" ? planOptionsIn(modes) : toolOptions(ask, modes) }),
      // What "for this session" would allow.
      ...(kind === "tool" && { permission_suggestions: suggestionsOf(ask, modes) }),
      ...(ask.blocked_path !== undefined && { blocked_path: ask.blocked_path }),
      ...(ask.agent_id !== undefined && { agent_id: ask.agent_id }),
      ...(parent !== undefined && { parent_tool_use_id: ids.of(parent) })
    }
  }
}

interface Question {
  readonly id?: unknown
  readonly question?: unknown
}

/** Claude wants answers by the question's text, several choices joined by commas. */
const answersByText = ({ answers = {} }: PermissionAllowed, input: Input): Record<string, string> => {
  const questions: ReadonlyArray<Question> = Array.isArray(input["questions"]) ? input["questions"] : []
  const textOfKey = (key: string) => {
    const asked = questions.find(({ id, question }) => id === key || question === key)?.question
    return typeof asked === "string" ? asked : key
  }
  return Object.fromEntries(
    Object.entries(answers).map((
      [key, answer]
    ) => [textOfKey(key), typeof answer === "string" ? answer : answer.join(", ")])
  )
}

/** Rules that make Claude stop asking, or leave plan mode. */
const updatesOf = (
  outcome: PermissionAllowed,
  ask: CanUseTool,
  modes: ReadonlyArray<string>
): ReadonlyArray<Input> => {
  if (kindOf(ask.tool_name) === "plan") {
    const wanted = outcome.option_id === "acceptEdits" || outcome.scope === "session"
      ? "acceptEdits"
      : "default"
    const mode = modes.includes(wanted) ? wanted : "default"
    return [{ type: "setMode", mode, destination: "session" }]
  }
  return outcome.scope === "session" ? toRemember(ask, modes) : []
}

const allow = (outcome: PermissionAllowed, ask: CanUseTool, modes: ReadonlyArray<string>): Input => {
  const input = outcome.updatedInput ?? inputOf(ask)
  const updatedPermissions = updatesOf(outcome, ask, modes)
  return {
    behavior: "allow",
    updatedInput: kindOf(ask.tool_name) === "question" && outcome.answers !== undefined
      ? { ...input, answers: answersByText(outcome, inputOf(ask)) }
      : input,
    ...(updatedPermissions.length > 0 && { updatedPermissions })
  }
}

/** What Claude has withdrawn it does not wait for; that it does is the rule: most builds withdraw at an interrupt. */
const unanswered: Readonly<Record<PermissionUnanswered["reason"], Input | undefined>> = {
  timeout: { behavior: "deny", message: "Nobody answered the permission request in time, so it was denied." },
  interrupted: { behavior: "deny", message: "The turn was interrupted.", interrupt: true },
  withdrawn: undefined,
  session_end: undefined
}

/** The answer to send, or undefined when Claude has stopped waiting for one. */
export const toAnswer = (
  ask: CanUseTool,
  outcome: PermissionOutcome,
  modes: ReadonlyArray<string> = permissionModes
): Input | undefined => {
  switch (outcome.behavior) {
    case "allow":
      return allow(outcome, ask, modes)
    case "deny":
      return {
        behavior: "deny",
        message: outcome.message ?? "The user denied this.",
        ...(outcome.stop === true && { interrupt: true })
      }
    case "cancelled":
      return unanswered[outcome.reason]
  }
}
