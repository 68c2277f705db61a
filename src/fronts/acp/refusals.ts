/**
 * refusals: converts the relay's errors to JSON-RPC errors with codes editors know. The relay's own code is
 * in `data`.
 */
import { JsonRpcError } from "../../adapters/wire/JsonRpc.js"
import { noSession } from "../noSession.js"
import { open } from "../read.js"

export const codes = {
  parse: -32700,
  invalid: -32600,
  method: -32601,
  params: -32602,
  internal: -32603
} as const
export const authRequired = -32000
const notFound = -32002

const badParams = new Set([
  "forbidden_folder",
  "folder_not_found",
  "unknown_tool",
  "bad_handshake",
  "bad_command",
  "too_large"
])

const toCode = (code: string): number =>
  code === "session_not_found"
    ? notFound
    : code === "unauthorized" || code === "auth_required"
    ? authRequired
    : badParams.has(code)
    ? codes.params
    : codes.internal

export const refusal = (code: string, reason: string, detail?: unknown) =>
  new JsonRpcError({
    code: toCode(code),
    // Advice about the relay's own protocol does not help in an editor.
    reason: code === "session_not_found" ? noSession(reason, asListed) : reason,
    detail: { ...open(detail), code }
  })
const asListed = "session/list lists the sessions, session/new creates one"

export const wrong = (reason: string) => new JsonRpcError({ code: codes.params, reason })
export const unknownSession = (id: string) =>
  refusal("session_not_found", `there is no session "${id}" on this connection: load or resume it first`)
