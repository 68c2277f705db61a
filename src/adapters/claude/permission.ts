/**
 * permission: Claude's questions as permission requests, and people's answers in Claude's words.
 *
 * "For this session" sends Claude's own suggestions back, always with `destination: "session"`: elsewhere they would
 * not apply in a folder whose trust dialog was never accepted.
 */
import type { PermissionOption, PermissionRequest } from "../../schema/index.js"
import { RequestId } from "../../schema/index.js"
import type { PermissionAllowed, PermissionOutcome } from "../Adapter.js"
import { permissionModes } from "./ClaudeLaunch.js"
import type { CanUseTool } from "./ClaudeMessage.js"

/** What to do with a tool; Claude offers no ids, so these are ours. */
const toolOptions: ReadonlyArray<PermissionOption> = [
  { option_id: "allow", name: "Allow once", kind: "allow_once" },
  { option_id: "allow_session", name: "Allow for this session", kind: "allow_always" },
  { option_id: "deny", name: "Deny", kind: "reject_once" }
]

/** How to leave plan mode. */
const planOptions: ReadonlyArray<PermissionOption> = [
  { option_id: "default", name: "Yes, and ask before each edit", kind: "allow_once" },
  { option_id: "acceptEdits", name: "Yes, and accept edits", kind: "allow_always" },
  { option_id: "deny", name: "No, keep planning", kind: "reject_once" }
]

const kindOf = (tool: string) =>
  tool === "AskUserQuestion" ? "question" : tool === "ExitPlanMode" ? "plan" : "tool"

/** Only answers that lead to a mode the operator allows. */
const planOptionsIn = (modes: ReadonlyArray<string>) =>
  planOptions.filter(({ option_id }) => option_id !== "acceptEdits" || modes.includes("acceptEdits"))

/** What Claude would have for the session, without modes it may not be in. */
const suggestionsOf = (ask: CanUseTool, modes: ReadonlyArray<string>): ReadonlyArray<Input> =>
  (ask.permission_suggestions ?? []).filter(({ mode, type }) =>
    type !== "setMode" || modes.includes(String(mode))
  )

/** `modes` are the permission modes Claude may be in. */
export const toPermissionRequest = (
  request_id: string,
  ask: CanUseTool,
  modes: ReadonlyArray<string> = permissionModes
): PermissionRequest => {
  const kind = kindOf(ask.tool_name)
  const plan = ask.input["plan"]
  const text = kind === "plan" && typeof plan === "string"
    ? plan
    : ask.title ?? ask.description ?? ask.decision_reason
  return {
    type: "permission_request",
    request_id: RequestId.make(request_id),
    tool: ask.tool_name,
    args: ask.input,
    ...(ask.tool_use_id !== undefined && { tool_use_id: ask.tool_use_id }),
    ...(text !== undefined && { text }),
    metadata: {
      kind,
      ...(kind !== "question" && { options: kind === "plan" ? planOptionsIn(modes) : toolOptions }),
      // What "for this session" would allow.
      ...(kind === "tool" && { permission_suggestions: suggestionsOf(ask, modes) }),
      ...(ask.blocked_path !== undefined && { blocked_path: ask.blocked_path }),
      ...(ask.agent_id !== undefined && { agent_id: ask.agent_id })
    }
  }
}

type Input = Readonly<Record<string, unknown>>

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
  return outcome.scope === "session"
    ? suggestionsOf(ask, modes).map((suggestion) => ({ ...suggestion, destination: "session" }))
    : []
}

const allow = (outcome: PermissionAllowed, ask: CanUseTool, modes: ReadonlyArray<string>): Input => {
  const input = outcome.updatedInput ?? ask.input
  const updatedPermissions = updatesOf(outcome, ask, modes)
  return {
    behavior: "allow",
    updatedInput: kindOf(ask.tool_name) === "question" && outcome.answers !== undefined
      ? { ...input, answers: answersByText(outcome, ask.input) }
      : input,
    ...(updatedPermissions.length > 0 && { updatedPermissions })
  }
}

const silence = "Nobody answered the permission request in time, so it was denied."

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
      return outcome.reason === "timeout" ? { behavior: "deny", message: silence } : undefined
  }
}
