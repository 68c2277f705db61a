/** commandScopes: what each command needs. A command without a scope does not compile. */
import type { ClientCommand } from "./ClientCommand.js"
import type { Scope } from "./Scope.js"

/** In a terminal's session every prompt is typed into a shell: there `prompt` stands for `terminal`. */
export const commandScopes: { readonly [Type in ClientCommand["type"]]: Scope } = {
  ping: "view",
  user_message: "prompt",
  cancel_queued: "prompt",
  interrupt: "prompt",
  end: "prompt",
  set_model: "prompt",
  // Who ends the agent here goes on elsewhere, and the other way round.
  hand_over: "prompt",
  take_over: "prompt",
  permission_response: "approve",
  control_response: "approve",
  // A mode or a budget decides what would otherwise be asked.
  set_permission_mode: "approve",
  set_budget: "approve",
  set_on_limit: "prompt",
  schedule: "prompt",
  change_schedule: "prompt",
  remove_schedule: "prompt",
  // It changes files, as a prompt may.
  rewind: "prompt",
  undo_rewind: "prompt",
  drive: "prompt",
  drive_response: "prompt",
  suggest: "prompt",
  suggestion_response: "prompt",
  stdin: "terminal",
  resize: "terminal",
  // The agent's own protocol can do all that the relay's can, and more.
  control_request: "admin",
  raw_request: "admin"
}
