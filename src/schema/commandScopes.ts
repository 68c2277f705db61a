/** commandScopes: the scope that each command needs. A command without one does not compile. */
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
  // These move the conversation between here and a terminal.
  hand_over: "prompt",
  take_over: "prompt",
  permission_response: "approve",
  control_response: "approve",
  // A mode or budget decides what would otherwise be asked.
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
  // An agent's own protocol can do everything that the relay's can, and more.
  control_request: "admin",
  raw_request: "admin"
}
