/**
 * toolWords: what a tool call is about, in one line. Agents name their tools and fields differently.
 */
import { open, text } from "../../messages/read.js"
import { w } from "../words/words.js"
import { relative } from "./words.js"

/**
 * What a tool does, by the names agents give their own tools. All others, including those of MCP servers, are
 * `other`.
 */
export type ToolKind =
  | "shell"
  | "read"
  | "edit"
  | "search"
  | "fetch"
  | "web"
  | "agent"
  | "plan"
  | "question"
  | "exitPlan"
  | "other"

const kinds: ReadonlyArray<readonly [RegExp, ToolKind]> = [
  [
    /^(bash|bashoutput|killshell|shell|local_shell|exec|exec_command|commandexecution|run_shell_command|execute|terminal|run_terminal_cmd)$/i,
    "shell"
  ],
  [/^(read|view|cat|read_file|read_many_files|viewimage|view_image|notebookread)$/i, "read"],
  [
    /^(edit|multiedit|write|filechange|apply_patch|replace|write_file|edit_file|create_file|str_replace|str_replace_editor|notebookedit|delete|move)$/i,
    "edit"
  ],
  [
    /^(grep|glob|search|find|list|ls|list_directory|search_file_content|codebase_search|toolsearch|mcpsearch|grep_search)$/i,
    "search"
  ],
  [/^(webfetch|fetch|web_fetch)$/i, "fetch"],
  [/^(websearch|web_search|google_web_search)$/i, "web"],
  [/^(task|agent|subagent|spawn_agent|spawnagent|collabagenttoolcall)$/i, "agent"],
  [
    /^(todowrite|write_todos|update_plan|taskcreate|taskupdate|tasklist|taskget|todo_write)$/i,
    "plan"
  ],
  [/^(askuserquestion|ask_user|requestuserinput)$/i, "question"],
  [/^(exitplanmode|exit_plan_mode|switch_mode)$/i, "exitPlan"]
]

export const kindOfTool = (tool: string): ToolKind =>
  kinds.find(([pattern]) => pattern.test(tool))?.[1] ?? "other"

/** The tool's own name if the page has no better word. */
export const toolVerb = (tool: string): string => {
  const kind = kindOfTool(tool)
  return kind === "other" ? tool : w.verbs[kind]
}

const fields = [
  "command",
  "cmd",
  "file_path",
  "path",
  "pattern",
  "query",
  "url",
  "subject",
  "description",
  "prompt",
  "title"
]

const shown = (value: unknown): string | undefined =>
  Array.isArray(value) && value.every((part) => typeof part === "string") ? value.join(" ") : text(value)

/** A shell wrapped around the command adds no information. */
const bare = (command: string): string =>
  /^(?:\/\S*\/)?(?:ba|z|da)?sh -l?i?c (['"])([^]*)\1$/.exec(command)?.[2] ?? command

/** The most telling argument. */
export const toolSubject = (args: unknown, tool = "", folder = ""): string => {
  const given = open(args)
  if (kindOfTool(tool) === "plan") return taskSubject(given)
  if (kindOfTool(tool) === "search") {
    const pattern = text(given["pattern"]) ?? text(given["query"])
    const path = text(given["path"]) ?? text(given["dir_path"])
    if (pattern !== undefined && path !== undefined) return w.searchIn(pattern, relative(path, folder))
    if (pattern !== undefined) return pattern
  }
  for (const field of fields) {
    const value = shown(given[field])
    if (value !== undefined && value !== "") return bare(relative(value, folder))
  }
  return ""
}

/** A checklist task: its text, or which task it is and its new state. */
const taskSubject = (args: Readonly<Record<string, unknown>>): string => {
  const id = args["taskId"] ?? args["task_id"]
  const status = text(args["status"])
  const state = status !== undefined && Object.hasOwn(w.steps, status)
    ? w.steps[status as keyof typeof w.steps]
    : status
  return [
    id === undefined ? undefined : `#${String(id)}`,
    text(args["subject"]),
    state
  ].filter((part) => part !== undefined).join(" · ")
}

/** The command line, if the tool runs one. */
export const commandOf = (args: unknown): string | undefined =>
  shown(open(args)["command"]) ?? shown(open(args)["cmd"])

/** The most telling field's value, complete or not, from JSON that is still streaming in. */
export const subjectInPieces = (input: string): string =>
  /"(?:command|file_path|path|pattern|query)"\s*:\s*"((?:[^"\\]|\\.)*)/.exec(input.slice(0, 4000))?.[1]
    ?.replaceAll(
      "\\n",
      " "
    )
    .replaceAll("\\\"", "\"") ?? ""
