/**
 * toolWords: how an editor shows an agent's tool: its kind, a title, and the files it is about.
 */
import { number, type Open, open, text } from "../read.js"

export type ToolKind =
  | "read"
  | "edit"
  | "delete"
  | "move"
  | "search"
  | "execute"
  | "think"
  | "fetch"
  | "switch_mode"
  | "other"

const kinds: ReadonlyArray<readonly [ToolKind, RegExp]> = [
  ["switch_mode", /^(exit_?plan_?mode|enter_?plan_?mode|switch_?mode)$/i],
  [
    "execute",
    /^(bash|shell|powershell|terminal|command_?execution|exec(_command)?|execute|run_shell_command|kill_?shell|bash_?output|local_shell)$/i
  ],
  [
    "edit",
    /^(edit|multi_?edit|notebook_?edit|write(_file)?|replace|apply_?patch|file_?change|str_replace.*|create)$/i
  ],
  ["delete", /^(delete(_file)?|remove(_file)?)$/i],
  ["move", /^(move(_file)?|rename(_file)?)$/i],
  ["search", /^(grep|glob|ls|list(_directory)?|search(_file_content)?|find(_files?)?|tool_?search)$/i],
  ["fetch", /^(web_?fetch|web_?search|fetch|google_web_search)$/i],
  ["read", /^(read(_file|_many_files)?|notebook_?read|view|image_?view|open_?file)$/i],
  ["think", /^(task|agent|think|todo_?write|todo_?list|plan|update_plan|sub_?agent.*|collab_?.*)$/i]
]

export const kindOf = (tool: string): ToolKind =>
  kinds.find(([, pattern]) => pattern.test(tool))?.[0] ?? "other"

const pathNames = ["file_path", "path", "notebook_path", "absolute_path", "filePath", "dir_path"]

export const pathOf = (args: Open): string | undefined =>
  pathNames.map((name) => text(args[name])).find((path) => path !== undefined && path !== "")

const longest = 200
const short = (words: string): string => {
  const [line = "", ...more] = words.trim().split("\n")
  const characters = [...line]
  return characters.length > longest
    ? `${characters.slice(0, longest - 1).join("")}…`
    : more.length > 0
    ? `${line} …`
    : line
}

/** Never empty. */
export const titleOf = (tool: string, args: unknown): string => {
  const given = open(args)
  const { command } = given
  const words = Array.isArray(command) ? command.map(String).join(" ") : text(command)
  const path = pathOf(given)
  const said = words
    ?? (path === undefined ? undefined : `${tool} ${path}`)
    ?? text(given["pattern"])
    ?? text(given["query"])
    ?? text(given["url"])
    ?? text(given["description"])
    ?? text(given["title"])
    ?? text(given["prompt"])
  const title = short(said ?? "")
  return title === "" ? tool || "tool" : title
}

export const locationsOf = (args: unknown, toClient: (path: string) => string) => {
  const given = open(args)
  const path = pathOf(given)
  if (path === undefined) return []
  const line = number(given["offset"]) ?? number(given["line"])
  return [{ path: toClient(path), ...(line !== undefined && line > 0 && { line: Math.floor(line) }) }]
}
