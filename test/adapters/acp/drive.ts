/** drive: what a client sent, given what a recording's client wrote to an ACP agent. */
import type { Contract } from "../contract.js"

export const drive: Contract["drive"] = ({ method, params, result }, seen) => {
  const request_id = seen.findLast((event) => event.type === "permission_request")?.request_id
  switch (method) {
    case "session/prompt":
      return { text: params.prompt[0].text }
    case "session/cancel":
      return { type: "interrupt" }
    case "session/set_mode":
      return { type: "set_permission_mode", mode: params.modeId }
  }
  if (result?.outcome?.outcome === "selected") {
    return { type: "permission_response", request_id, option_id: result.outcome.optionId }
  }
  return result?.action === "accept"
    ? { type: "permission_response", request_id, answers: result.content }
    : undefined
}

/** Answers to the adapter's own requests; that to a prompt ends a turn and is told. */
export const isPrivate: Contract["isPrivate"] = ({ result }) =>
  result !== undefined && result.stopReason === undefined
