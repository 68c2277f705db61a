/** toolCall: a permission request in the same form for all agents: kind of tool, commands, files. */
import { lstatSync, realpathSync } from "node:fs"
import { homedir } from "node:os"
import { basename, dirname, isAbsolute, join, resolve, sep } from "node:path"
import type { PermissionRequest } from "../../schema/index.js"
import { read, type ShellCommand, unwrapped } from "./shellCommands.js"

export interface ToolCall {
  readonly tool: string
  readonly kind: "execute" | "edit" | "read" | "fetch" | "other"
  readonly commands: ReadonlyArray<ShellCommand>
  /** Absolute paths with links resolved. */
  readonly paths: ReadonlyArray<string>
  /** Why it is uncertain what this does; undefined if it is certain. */
  readonly unclear: string | undefined
  /** Where a path in the call may lead, absolute with links resolved: several paths where that is uncertain. */
  readonly resolve: (path: string) => ReadonlyArray<string>
}

const kinds = {
  execute: [
    "Bash",
    "commandExecution",
    "shell",
    "exec_command",
    "run_shell_command",
    "execute",
    "bash",
    "terminal"
  ],
  edit: [
    "Edit",
    "MultiEdit",
    "Write",
    "NotebookEdit",
    "fileChange",
    "write_file",
    "replace",
    "edit",
    "write"
  ],
  read: [
    "Read",
    "Glob",
    "Grep",
    "LS",
    "NotebookRead",
    "read_file",
    "read_many_files",
    "list_directory",
    "glob",
    "search_file_content",
    "read",
    "search"
  ],
  fetch: ["WebFetch", "WebSearch", "web_fetch", "google_web_search", "fetch"]
} as const

/** The kind of a tool, by the agent's own name for it: an unknown tool that takes a `command` is not a shell. */
export const kindOf = (tool: string): ToolCall["kind"] =>
  (Object.keys(kinds) as Array<keyof typeof kinds>).find((kind) =>
    (kinds[kind] as ReadonlyArray<string>).includes(tool)
  ) ?? "other"

const pathFields = ["file_path", "path", "notebook_path", "filePath", "filepath", "absolute_path"] as const

/** Arguments that are understood for tools of this kind; any other makes a call unclear. */
const harmless: Readonly<Record<ToolCall["kind"], ReadonlySet<string>>> = {
  execute: new Set([
    "command",
    "description",
    "timeout",
    "timeout_ms",
    "run_in_background",
    "cwd",
    "workdir",
    "directory",
    "dir_path",
    "commandActions"
  ]),
  edit: new Set([
    ...pathFields,
    ..."content old_string new_string replace_all edits changes cell_id new_source cell_type edit_mode instruction expected_replacements modified_by_user ai_proposed_content old_text new_text diff"
      .split(" ")
  ]),
  read: new Set([
    ...pathFields,
    ..."offset limit pages pattern glob output_mode type multiline head_limit include ignore respect_git_ignore -i -n -A -B -C case_sensitive paths"
      .split(" ")
  ]),
  fetch: new Set(["url", "prompt", "query", "allowed_domains", "blocked_domains"]),
  other: new Set()
}

type Fields = Readonly<Record<string, unknown>>
const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** The real path; its missing part is appended to what exists. Undefined if a dangling link is in the way. */
const resolved = (folder: string, path: string): string | undefined => {
  const absolute = isAbsolute(path) ? path : resolve(folder, path)
  try {
    return realpathSync(absolute)
  } catch {
    if (isThere(absolute)) return undefined
    const above = dirname(absolute)
    if (above === absolute) return undefined
    const parent = resolved("/", above)
    return parent === undefined ? undefined : join(parent, basename(absolute))
  }
}

/** Where the kernel follows a path to: after a link, `..` is the parent of its target. */
const followed = (absolute: string): string => {
  const names = absolute.split("/")
  for (let end = names.length; end > 1; end--) {
    try {
      return join(realpathSync.native(names.slice(0, end).join("/")), ...names.slice(end))
    } catch {
      // It does not exist; its parent may.
    }
  }
  return resolve(absolute)
}

/** All that an odd path may mean: normalized as text, as Node programs do; followed, as shells do; below the home folder. */
const meanings = (folder: string, path: string): ReadonlyArray<string> => {
  if (path.includes("\0")) return [path]
  const absolute = isAbsolute(path) ? path : `${folder}/${path}`
  const lexical = resolve(absolute)
  const home = /^~(?=\/|$)/.test(path) ? [resolve(homedir(), path.slice(2))] : []
  return [...new Set([lexical, ...home].map((one) => resolved("/", one) ?? one).concat(followed(absolute)))]
}

/** Whether something is there, such as a dangling link, or cannot be inspected. */
const isThere = (path: string): boolean => {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined
  } catch {
    return true
  }
}

/** Whether a path is inside the folder: Claude also names blocked paths in its own folder. */
const isWithin = (folder: string, path: string): boolean => {
  const root = resolved("/", folder)
  const real = path.split("/").includes("..") ? undefined : resolved(folder, path)
  return root !== undefined && real !== undefined && (real === root || real.startsWith(`${root}${sep}`))
}

/** Fields of the changes in a list that name a file: `move_path` is where Codex moves one to. */
const changeFields = [...pathFields, "move_path", "movePath"] as const

const named = (args: Fields, fields: ReadonlyArray<string>): ReadonlyArray<string> =>
  fields.flatMap((name) => typeof args[name] === "string" ? [args[name]] : [])

const textsAmong = (list: unknown): ReadonlyArray<string> =>
  Array.isArray(list) ? list.filter((one): one is string => typeof one === "string") : []

/** The files named anywhere in a list of changes. */
const changedIn = (changes: unknown): ReadonlyArray<string> =>
  Array.isArray(changes)
    ? changes.flatMap(changedIn)
    : isFields(changes)
    ? [...named(changes, changeFields), ...Object.values(changes).flatMap(changedIn)]
    : []

const textsIn = (args: Fields): ReadonlyArray<string> => {
  const { changes, edits, paths } = args
  // Either a list, or by file.
  const byFile = isFields(changes) ? Object.keys(changes) : []
  return [
    ...named(args, pathFields),
    ...textsAmong(paths),
    ...byFile,
    ...changedIn(changes),
    ...changedIn(edits)
  ]
}

/** Whether a list holds a change of nobody knows what file. */
const hidesChange = ({ changes }: Fields): boolean =>
  Array.isArray(changes) &&
  changes.some((change) => !isFields(change) || named(change, pathFields).length === 0)

/** Patterns of file names, which search outside the folder they are given if they are absolute or climb. */
const patternsIn = (tool: string, { glob, include, pattern }: Fields): ReadonlyArray<string> => [
  // Elsewhere it is searched for in files.
  ...(/^glob$/i.test(tool) ? textsAmong([pattern]) : []),
  ...[glob, include].flatMap((one) => typeof one === "string" ? [one] : textsAmong(one))
]

const leadsElsewhere = (pattern: string): boolean =>
  /^[/~\\]|^[A-Za-z]:|(?:^|[/\\{,])\.\.(?:[/\\},]|$)|[{,]\//.test(pattern)

/** The command as text; a list of arguments is joined so that a shell would read it back. */
const commandIn = ({ command }: Fields): string | undefined => {
  if (typeof command === "string") return command
  return Array.isArray(command) && command.every((word) => typeof word === "string")
    ? command.map((word: string) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ")
    : undefined
}

export const callOf = (
  { args, metadata, tool = "" }: PermissionRequest,
  { folder }: { readonly folder: string }
): ToolCall => {
  const fields = isFields(args) ? args : {}
  const kind = kindOf(tool)
  const strange = Object.keys(fields).find((name) => !harmless[kind].has(name))
  const doubts: Array<string> = []
  if (kind !== "other" && strange !== undefined) doubts.push(`the effect of its \`${strange}\` is unknown`)
  const blocked = metadata["blocked_path"]
  if (blocked !== undefined && !(typeof blocked === "string" && isWithin(folder, blocked))) {
    doubts.push("it reaches outside the agent's folders")
  }
  const cwd = ["cwd", "workdir", "directory", "dir_path"].map((name) => fields[name]).find((value) =>
    value !== undefined
  )
  const where = typeof cwd === "string" ? resolve(folder, cwd) : folder
  if (kind === "execute" && where !== folder) doubts.push("it runs in another folder")
  const resolveIn = (path: string): ReadonlyArray<string> => {
    // After a link, `..` does not lead where it seems to; `~` may be the home folder.
    const isOdd = path.includes("\0") || path.startsWith("~") || path.split("/").includes("..")
    const real = isOdd ? undefined : resolved(where, path)
    if (real === undefined) doubts.push("a path cannot be resolved")
    return real === undefined ? meanings(where, path) : [real]
  }
  const text = kind === "execute" ? commandIn(fields) : undefined
  if (kind === "execute" && text === undefined) doubts.push("it names no command")
  const shell = text === undefined ? undefined : read(unwrapped(text))
  if (shell?.unclear !== undefined) doubts.push(shell.unclear)
  const paths = kind === "edit" || kind === "read" ? textsIn(fields).flatMap(resolveIn) : []
  if (kind === "edit" && (paths.length === 0 || hidesChange(fields))) doubts.push("it names no file")
  if (kind === "read" && patternsIn(tool, fields).some(leadsElsewhere)) {
    doubts.push("its pattern may lead to another folder")
  }
  const redirected = shell?.commands.flatMap(({ redirects }) => redirects.map(({ path }) => path)) ?? []
  for (const path of redirected) resolveIn(path)
  return {
    tool,
    kind,
    commands: shell?.commands ?? [],
    paths,
    unclear: doubts[0],
    resolve: resolveIn
  }
}
