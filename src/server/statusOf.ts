/** statusOf: the HTTP status for an error code, the same on every path. */
import type { PortErrorCode } from "../fronts/SessionPort.js"

const statuses: Readonly<Record<PortErrorCode, number>> = {
  bad_handshake: 400,
  bad_command: 400,
  unknown_tool: 400,
  unauthorized: 401,
  budget_exceeded: 403,
  forbidden: 403,
  forbidden_folder: 403,
  folder_not_found: 404,
  session_not_found: 404,
  files_changed: 409,
  gap: 409,
  in_use: 409,
  not_driving: 409,
  session_ended: 409,
  too_large: 413,
  internal: 500,
  agent_failed: 502,
  auth_required: 502,
  command_not_found: 502,
  turn_failed: 502,
  overloaded: 503,
  unreachable: 503
}

/** `code` is an error code of the protocol or of a front; 500 for any other. */
export const statusOf = (code: string): number =>
  (statuses as Readonly<Record<string, number>>)[code] ?? statuses.internal
