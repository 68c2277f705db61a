/**
 * handshakeScopes: the scope that each field of a handshake needs when it opens a session. A field without one does not compile.
 * Attaching to a live session needs only `view`: these fields are ignored then.
 */
import type { Handshake } from "./Handshake.js"
import type { Scope } from "./Scope.js"

export const handshakeScopes: { readonly [Field in keyof Handshake]-?: Scope } = {
  session_id: "view",
  after_seq: "view",
  must_exist: "view",
  watch: "view",
  raw: "view",
  front: "view",
  token: "view",
  ticket: "view",
  parent: "prompt",
  relay_tools: "prompt",
  tool: "prompt",
  folder: "prompt",
  model: "prompt",
  mode: "prompt",
  native_session_id: "prompt",
  history: "prompt",
  if_open: "prompt",
  fork: "prompt",
  follow: "prompt",
  linger: "prompt",
  on_limit: "prompt",
  budget: "prompt",
  snowflake: "prompt",
  ephemeral: "prompt",
  serviceName: "prompt",
  serviceTier: "prompt",
  personality: "prompt",
  // They decide what would otherwise be asked.
  permission_mode: "approve",
  approval_policy: "approve",
  approvalsReviewer: "approve",
  sandbox: "approve",
  pty: "terminal",
  command: "terminal",
  // What is loaded, started, or sent elsewhere beside the agent.
  env: "admin",
  extra_args: "admin",
  config: "admin",
  mcp_servers: "admin",
  modelProvider: "admin",
  baseInstructions: "admin",
  developerInstructions: "admin"
}
