/**
 * permission: converts Claude's questions to permission requests, and people's answers to Claude's format.
 *
 * "For this session" returns Claude's own suggestions, always with `destination: "session"`: other
 * destinations would not apply in a folder whose trust dialog was never accepted.
 */
import { Predicate } from "effect"
import type { PermissionOption, PermissionRequest, RequestId } from "../../schema/index.js"
import type { PermissionAllowed, PermissionOutcome, PermissionUnanswered } from "../Adapter.js"
import { plainText } from "../native/readLines.js"
import type { CallIds } from "../wire/CallIds.js"
import { wordsIn } from "../wire/words.js"
import { permissionModes } from "./ClaudeLaunch.js"
import type { CanUseTool } from "./ClaudeMessage.js"
import type { OpenCalls } from "./openCalls.js"

type Input = Readonly<Record<string, unknown>>

/** Options for a tool; Claude provides no ids, so these are ours. */
const onceOptions: ReadonlyArray<PermissionOption> = [
  { option_id: "allow", name: "Allow once", kind: "allow_once" },
  { option_id: "deny", name: "Deny", kind: "reject_once" }
]
const sessionOption: PermissionOption = {
  option_id: "allow_session",
  name: "Allow for this session",
  kind: "allow_always"
}

/** Claude remembers only its own suggestions: without one it would ask the same again. */
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

/** Ways to leave plan mode. */
const planOptions: ReadonlyArray<PermissionOption> = [
  { option_id: "default", name: "Yes, and ask before each edit", kind: "allow_once" },
  { option_id: "acceptEdits", name: "Yes, and accept edits", kind: "allow_always" },
  { option_id: "deny", name: "No, keep planning", kind: "reject_once" }
]

const kindOf = (tool: string) =>
  tool === "AskUserQuestion" ? "question" : tool === "ExitPlanMode" ? "plan" : "tool"

/** The tool's input; input of another shape cannot be interpreted. */
const inputOf = ({ input }: CanUseTool): Input => Predicate.isObject(input) ? input : {}

/** Only options that lead to a mode the operator allows. */
const planOptionsIn = (modes: ReadonlyArray<string>) =>
  planOptions.filter(({ option_id }) => option_id !== "acceptEdits" || modes.includes("acceptEdits"))

interface Known {
  readonly ids: Pick<CallIds, "of">
  /** Calls without a result. */
  readonly openCalls?: Pick<OpenCalls, "find">
}

/** `ids` maps tool calls to the ids clients know; `modes` lists the permission modes Claude may be in. */
export const toPermissionRequest = (
  request_id: RequestId,
  ask: CanUseTool,
  { ids, openCalls }: Known,
  modes: ReadonlyArray<string> = permissionModes
): PermissionRequest => {
  const kind = kindOf(ask.tool_name)
  const plan = inputOf(ask)["plan"]
  // Requests from a subagent are labelled like its messages.
  const call = openCalls?.find(ask.tool_use_id)
  const parent = call?.parent
  const text = kind === "plan" && typeof plan === "string"
    ? plan
    : wordsIn([ask.title ?? ask.description, ask.decision_reason && plainText(ask.decision_reason)])
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

/** Claude expects answers keyed by the question's text, with several choices joined by commas. */
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

/** Rules that stop Claude from asking, or leave plan mode. */
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

/** Claude does not wait for requests it has withdrawn; most builds withdraw them at an interrupt. */
const unanswered: Readonly<Record<PermissionUnanswered["reason"], Input | undefined>> = {
  timeout: { behavior: "deny", message: "Nobody answered the permission request in time, so it was denied." },
  interrupted: { behavior: "deny", message: "The turn was interrupted.", interrupt: true },
  withdrawn: undefined,
  session_end: undefined
}

/** The answer to send, or undefined if Claude has stopped waiting for one. */
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
