/**
 * system: translates Claude's `system` messages: turn starts, retries, modes, compaction, background tasks.
 */
import type { BodyOf, EventBody } from "../../schema/index.js"
import { status } from "../wire/statusEvent.js"
import { firstText, wordsBeside, wordsIn } from "../wire/words.js"
import type { System } from "./ClaudeMessage.js"
import type { ClaudeState } from "./ClaudeState.js"

type Events = ReadonlyArray<EventBody>
type Metadata = Readonly<Record<string, unknown>>

const string = (value: unknown): string | undefined => typeof value === "string" ? value : undefined
const number = (value: unknown): number | undefined => typeof value === "number" ? value : undefined

const limits = new Set(["rate_limit", "overloaded", "billing_error"])

interface Retry {
  readonly attempt?: number
  readonly max_retries?: number
  readonly error_status?: number
}

export const retryText = ({ attempt, error_status, max_retries }: Retry, error: string | undefined): string =>
  `The model API answered ${error ?? "with an error"}${error_status ? ` (${error_status})` : ""}; `
  + `Claude Code is retrying (${attempt ?? "?"} of ${max_retries ?? "?"}).`

const retry = (message: System): BodyOf<"status" | "quota_warning"> => {
  const { attempt, error_status, max_retries, retry_delay_ms, subtype } = message
  const error = wordsIn(message["error"])
  const text = retryText(message, error)
  const limited = limits.has(error ?? "") || error_status === 429 || error_status === 529
  return limited
    ? { type: "quota_warning", text, metadata: { error, error_status, retry_delay_ms, attempt, max_retries } }
    : status(subtype, text, { error, error_status, retry_delay_ms, attempt, max_retries })
}

const init = (message: System, state: ClaudeState): Events => {
  state.model = message.model
  return [status("init", wordsBeside(message) ?? wordsIn(startErrors(message, state)), {
    native_session_id: message.session_id,
    model: message.model,
    permission_mode: message.permissionMode
  })]
}

/** What an agent's tool server is not available for. */
export const serverFailed = (name: string, why: string | undefined): string =>
  `The tool server "${name}" is not available${why === undefined ? "" : `: ${why}`}.`.replace(/\.\.$/, ".")

const statesOfFailure: Readonly<Record<string, string>> = {
  failed: "it did not start",
  "needs-auth": "it needs a login"
}

/** Why a tool server is not available; each turn says it again, but it is told once. */
const serverError = (server: unknown, { toldServers }: ClaudeState): string | undefined => {
  const fields: Metadata = typeof server === "object" && server !== null ? { ...server } : {}
  const name = string(fields["name"])
  const state = statesOfFailure[string(fields["status"]) ?? ""]
  if (name === undefined || state === undefined) return wordsBeside(server)
  if (toldServers.has(name)) return undefined
  toldServers.add(name)
  return serverFailed(name, wordsBeside(server) ?? state)
}

/** Errors of tool servers and plugins that did not start. */
const startErrors = ({ mcp_servers, plugin_errors }: System, state: ClaudeState): unknown => [
  ...[mcp_servers].flat().map((server) => serverError(server, state)),
  ...[plugin_errors].flat().map((plugin) => wordsBeside(plugin))
]

const systemStatus = (message: System): Events => {
  if (message.compact_result === "failed") {
    return [{
      type: "error",
      code: "turn_failed",
      text: message.compact_error ?? "The context could not be compacted."
    }]
  }
  const mode = message.permissionMode
  return [status(
    message.status ?? (mode === undefined ? "ready" : "permission_mode"),
    wordsIn(message),
    mode === undefined ? undefined : { permission_mode: mode }
  )]
}

const defined = (fields: Metadata): Metadata | undefined => {
  const known = Object.entries(fields).filter(([, value]) => value !== undefined)
  return known.length > 0 ? Object.fromEntries(known) : undefined
}

/** A hook that runs or has run: its output and how it ended. */
const hook = (message: System): Events => {
  const exit_code = number(message["exit_code"])
  const said = wordsIn(message)?.trimEnd()
  const failed = exit_code === undefined || exit_code === 0 ? undefined : `(exit code ${exit_code})`
  const text = [said, failed].filter((part) => part !== undefined).join(" ")
  return [status(
    message.subtype,
    text === "" ? undefined : text,
    defined({
      hook: string(message["hook_name"]),
      hook_event: string(message["hook_event"]),
      outcome: string(message["outcome"]),
      exit_code
    })
  )]
}

/** A background task; the patch says what changed. */
const taskUpdated = (message: System): Events => {
  const patch = message["patch"]
  const fields: Metadata = typeof patch === "object" && patch !== null ? { ...patch } : {}
  const text = [string(fields["status"]), wordsIn(fields)].filter((part) => part !== undefined).join(": ")
  return [status(
    message.subtype,
    text === "" ? wordsIn(message) : text,
    defined({ task_id: message.task_id, state: string(fields["status"]) })
  )]
}

/** Messages in a subagent's thread name the call that started it. */
export const translateSystem = (message: System, state: ClaudeState): Events => {
  const { parent_tool_use_id: parent } = message
  const events = meaningOf(message, state)
  return parent === undefined ?
    events :
    events.map((event): EventBody =>
      event.type === "permission_request" ? event : {
        ...event,
        metadata: { ...event.metadata, parent_tool_use_id: state.ids.of(parent) }
      }
    )
}

const meaningOf = (message: System, state: ClaudeState): Events => {
  const { subtype, task_id, tool_use_id } = message
  if (task_id !== undefined && tool_use_id !== undefined) state.tasks.set(task_id, tool_use_id)
  switch (subtype) {
    case "init":
      return init(message, state)
    case "status":
      return systemStatus(message)
    case "api_retry":
      return [retry(message)]
    case "compact_boundary": {
      if (message.parent_tool_use_id === undefined) {
        state.context_tokens = number(message.compact_metadata?.["post_tokens"]) ?? 0
      }
      const text = firstText(wordsIn(message["summary"]), wordsBeside(message))
      return [{
        type: "context_compacted",
        ...(text !== undefined && { text }),
        metadata: message.compact_metadata ?? {}
      }]
    }
    case "task_progress": {
      const task = tool_use_id ?? state.tasks.get(task_id ?? "")
      // The summary is shown in its place.
      const text = firstText(
        wordsIn(message["summary"]),
        wordsIn(message["description"]),
        message["last_tool_name"]
      ) ?? ""
      return [{ type: "tool_progress", text, ...(task !== undefined && { tool_use_id: state.ids.of(task) }) }]
    }
    case "task_updated":
      return taskUpdated(message)
    case "hook_started":
    case "hook_progress":
    case "hook_response":
      return hook(message)
    case "commands_changed":
      return [status("commands", undefined, defined({ commands: message["commands"] }))]
    case "model_refusal_fallback": {
      const model = message["scope"] === "local" ? undefined : string(message["fallback_model"])
      state.model = model ?? state.model
      return [status(subtype, wordsIn(message), defined({ model }))]
    }
    case "session_state_changed":
      return [status(subtype, string(message["state"]), defined({ state: string(message["state"]) }))]
    default: {
      const name = subtype === "plugin_install" ? string(message["name"]) : undefined
      const said = wordsIn(message)
      const words = [name, said ?? message.status].filter((part) => part !== undefined).join(": ")
      const code = string(message["error_code"])
      return [status(
        subtype,
        words === "" ? code : words,
        defined({
          task_id,
          tool_use_id: tool_use_id && state.ids.of(tool_use_id),
          state: message.status,
          error_code: code
        })
      )]
    }
  }
}
