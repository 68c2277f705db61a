/** toolCall: a permission request in one form for all agents: what kind of tool, which commands, which files. */
import { lstatSync, realpathSync } from "node:fs"
import { homedir } from "node:os"
import { basename, dirname, isAbsolute, join, resolve, sep } from "node:path"
import type { PermissionRequest } from "../../schema/index.js"
import { read, type ShellCommand, unwrapped } from "./shellCommands.js"

export interface ToolCall {
  readonly tool: string
  readonly kind: "execute" | "edit" | "read" | "fetch" | "other"
  readonly commands: ReadonlyArray<ShellCommand>
  /** Absolute, after links are resolved. */
  readonly paths: ReadonlyArray<string>
  /** Why it cannot be said what this does. */
  readonly unclear: string | undefined
  /** Where a path of the call's may lead, absolute, after links are resolved: several where that is not known. */
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

/** By the agent's own name for the tool: a stranger's tool that takes a `command` is no shell. */
export const kindOf = (tool: string): ToolCall["kind"] =>
  (Object.keys(kinds) as Array<keyof typeof kinds>).find((kind) =>
    (kinds[kind] as ReadonlyArray<string>).includes(tool)
  ) ?? "other"

/** Arguments that change nothing about what a tool of this kind does; any other makes it unclear. */
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
  edit: new Set(
    "file_path path notebook_path content old_string new_string replace_all edits changes cell_id new_source cell_type edit_mode instruction expected_replacements modified_by_user ai_proposed_content old_text new_text diff"
      .split(" ")
  ),
  read: new Set(
    "file_path path notebook_path offset limit pages pattern glob output_mode type multiline head_limit include ignore respect_git_ignore -i -n -A -B -C case_sensitive paths"
      .split(" ")
  ),
  fetch: new Set(["url", "prompt", "query", "allowed_domains", "blocked_domains"]),
  other: new Set()
}

type Fields = Readonly<Record<string, unknown>>
const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** Where a path leads. What does not exist yet lies in what does; a link that leads nowhere is not followed. */
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

/** Where the system leads by a path, one name after the other: behind a link, `..` is above what it leads to. */
const followed = (absolute: string): string => {
  const names = absolute.split("/")
  for (let end = names.length; end > 1; end--) {
    try {
      return join(realpathSync.native(names.slice(0, end).join("/")), ...names.slice(end))
    } catch {
      // It is not there: what is above it may be.
    }
  }
  return resolve(absolute)
}

/** What an odd path may mean: by its letters, as Node's programs take it; by its names, as a shell does; from the home. */
const meanings = (folder: string, path: string): ReadonlyArray<string> => {
  if (path.includes("\0")) return [path]
  const absolute = isAbsolute(path) ? path : `${folder}/${path}`
  const lexical = resolve(absolute)
  const home = /^~(?=\/|$)/.test(path) ? [resolve(homedir(), path.slice(2))] : []
  return [...new Set([lexical, ...home].map((one) => resolved("/", one) ?? one).concat(followed(absolute)))]
}

/** Something is there that leads nowhere, or that cannot be looked at. */
const isThere = (path: string): boolean => {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined
  } catch {
    return true
  }
}

/** Claude names the path it stops at, also one in its own folder. */
const isWithin = (folder: string, path: string): boolean => {
  const root = resolved("/", folder)
  const real = path.split("/").includes("..") ? undefined : resolved(folder, path)
  return root !== undefined && real !== undefined && (real === root || real.startsWith(`${root}${sep}`))
}

const pathFields = ["file_path", "path", "notebook_path"] as const

const textsIn = (args: Fields): ReadonlyArray<string> => {
  const own = pathFields.flatMap((name) => typeof args[name] === "string" ? [args[name]] : [])
  const { changes, paths } = args
  const listed = Array.isArray(paths) ? paths.filter((path): path is string => typeof path === "string") : []
  const changed = Array.isArray(changes)
    ? changes.flatMap((change) =>
      isFields(change) && typeof change["path"] === "string" ? [change["path"]] : []
    )
    : isFields(changes)
    ? Object.keys(changes)
    : []
  return [...own, ...listed, ...changed]
}

/** Several lists of arguments are joined as a shell would read them again. */
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
  if (kind !== "other" && strange !== undefined) doubts.push(`nobody knows what its \`${strange}\` does`)
  const blocked = metadata["blocked_path"]
  if (blocked !== undefined && !(typeof blocked === "string" && isWithin(folder, blocked))) {
    doubts.push("it leads out of the agent's folders")
  }
  const cwd = ["cwd", "workdir", "directory", "dir_path"].map((name) => fields[name]).find((value) =>
    value !== undefined
  )
  const where = typeof cwd === "string" ? resolve(folder, cwd) : folder
  if (kind === "execute" && where !== folder) doubts.push("it runs in another folder")
  const resolveIn = (path: string): ReadonlyArray<string> => {
    // Behind a link, `..` does not lead where it seems to; a home is nobody's folder of that name.
    const isOdd = path.includes("\0") || path.startsWith("~") || path.split("/").includes("..")
    const real = isOdd ? undefined : resolved(where, path)
    if (real === undefined) doubts.push("it is not known where a path leads")
    return real === undefined ? meanings(where, path) : [real]
  }
  const text = kind === "execute" ? commandIn(fields) : undefined
  if (kind === "execute" && text === undefined) doubts.push("it names no command")
  const shell = text === undefined ? undefined : read(unwrapped(text))
  if (shell?.unclear !== undefined) doubts.push(shell.unclear)
  const paths = kind === "edit" || kind === "read" ? textsIn(fields).flatMap(resolveIn) : []
  if (kind === "edit" && paths.length === 0) doubts.push("it names no file")
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
