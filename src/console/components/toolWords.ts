/** toolWords: what a tool call is about, in a line. Agents name their tools and fields differently. */
import { open, text } from "../model/read.js"

const verbs: ReadonlyArray<readonly [RegExp, string]> = [
  [/^(bash|shell|exec|commandexecution|run_shell_command|execute|terminal)/i, "Run"],
  [/^(read|view|cat)/i, "Read"],
  [/^(edit|multiedit|write|filechange|apply_patch|replace|str_replace|notebookedit)/i, "Change"],
  [/^(grep|glob|search|find|list|ls)/i, "Search"],
  [/^(webfetch|fetch)/i, "Fetch"],
  [/^(websearch)/i, "Search the web"],
  [/^(task|agent)/i, "Delegate"],
  [/^(todowrite|update_plan)/i, "Plan"],
  [/^(askuserquestion)/i, "Ask"],
  [/^(exitplanmode)/i, "Propose a plan"]
]

export const toolVerb = (tool: string): string => verbs.find(([pattern]) => pattern.test(tool))?.[1] ?? tool

const fields = [
  "command",
  "cmd",
  "file_path",
  "path",
  "pattern",
  "query",
  "url",
  "description",
  "prompt",
  "title"
]

const shown = (value: unknown): string | undefined =>
  Array.isArray(value) && value.every((part) => typeof part === "string") ? value.join(" ") : text(value)

/** The one argument that says the most. */
export const toolSubject = (args: unknown): string => {
  const given = open(args)
  for (const field of fields) {
    const value = shown(given[field])
    if (value !== undefined && value !== "") return value
  }
  return ""
}

/** The command line, if the tool runs one. */
export const commandOf = (args: unknown): string | undefined =>
  shown(open(args)["command"]) ?? shown(open(args)["cmd"])

/** Complete or not, the value of the field that says the most in JSON that still streams in. */
export const subjectInPieces = (input: string): string =>
  /"(?:command|file_path|path|pattern|query)"\s*:\s*"((?:[^"\\]|\\.)*)/.exec(input)?.[1]?.replaceAll(
    "\\n",
    " "
  )
    .replaceAll("\\\"", "\"") ?? ""
