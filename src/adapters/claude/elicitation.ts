/**
 * elicitation: an MCP server's questions to a person through Claude, and the answers in Claude's format.
 */
import type { PermissionRequest, RequestId } from "../../schema/index.js"
import type { PermissionOutcome } from "../Adapter.js"
import * as forms from "../wire/elicitation.js"
import { firstText, wordsIn } from "../wire/words.js"
import type { Elicitation } from "./ClaudeMessage.js"
import type { ClaudeState } from "./ClaudeState.js"

const toForm = (ask: Elicitation): forms.Elicitation => {
  const { elicitation_id, mode, requested_schema, url } = ask
  return {
    message: firstText(ask.message, ask.title, ask.description) ?? "",
    ...(mode !== undefined && { mode }),
    ...(url !== undefined && { url }),
    ...(elicitation_id !== undefined && { elicitationId: elicitation_id }),
    ...(requested_schema !== undefined && { requestedSchema: requested_schema })
  }
}

const toolOf = ({ mcp_server_name: server }: Elicitation) => server === undefined ? "mcp" : `mcp__${server}`

export const toServerQuestion = (
  request_id: RequestId,
  ask: Elicitation,
  { ids, openCalls }: Pick<ClaudeState, "ids" | "openCalls">
): PermissionRequest => {
  const request = forms.toQuestion(request_id, toForm(ask), toolOf(ask))
  // The call the server is running.
  const of = openCalls.all().find(({ tool }) => tool.startsWith(`${toolOf(ask)}__`))
  const parent = of?.parent
  const server = ask.mcp_server_name
  return {
    ...request,
    text: wordsIn([ask.title, request.text, ask.description]) ?? "",
    ...(of !== undefined && { tool_use_id: of.tool_use_id }),
    metadata: {
      ...request.metadata,
      ...(server !== undefined && { server }),
      ...(parent !== undefined && { parent_tool_use_id: ids.of(parent) })
    }
  }
}

/** Undefined: Claude no longer waits for an answer. */
export const toServerAnswer = (ask: Elicitation, outcome: PermissionOutcome): object | undefined =>
  outcome.behavior === "cancelled" && (outcome.reason === "withdrawn" || outcome.reason === "session_end")
    ? undefined
    : forms.toElicitationAnswer(toForm(ask), outcome)
