/** ToolCall: calls of tools, their progress and results, and changes of files. */
import { Schema } from "effect"
import { event } from "./event.js"
import { present } from "./fields.js"

export const ToolCall = event("tool_call", {
  tool: Schema.String,
  tool_use_id: Schema.String,
  args: present(Schema.Unknown)
})
/** Output or progress of a running tool. */
export const ToolProgress = event("tool_progress", {
  tool_use_id: present(Schema.String),
  tool: present(Schema.String),
  text: Schema.String
})
export const ToolResult = event("tool_result", {
  tool_use_id: Schema.String,
  tool: present(Schema.String),
  status: Schema.Literals(["ok", "error"]),
  content: present(Schema.Unknown),
  text: present(Schema.String),
  exit_code: present(Schema.Int)
})
/** One file was created or edited. `diff` is unified, with `---`/`+++` headers. */
export const FileDiff = event("file_diff", {
  file_path: Schema.String,
  diff: Schema.String,
  tool_use_id: present(Schema.String)
})
