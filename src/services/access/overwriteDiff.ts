/**
 * overwriteDiff: the diff that a tool which writes a whole file would make to the existing file. Agents report only the new
 * text, but the person must see what would be lost before allowing it.
 */
import { Predicate } from "effect"
import { closeSync, constants, fstatSync, openSync, readFileSync, realpathSync } from "node:fs"
import { isAbsolute, resolve, sep } from "node:path"
import type { PermissionGate } from "../../adapters/Adapter.js"
import { changedDiff } from "../../adapters/wire/unifiedDiff.js"
import type { PermissionRequest } from "../../schema/index.js"

/** Largest file to read, in bytes: the question must not wait for larger ones. */
const mostBytes = 1024 * 1024

const writes = /^(?:write|write_file|create_file)$/i

/** A file inside the folder, as text; undefined if there is none, or if it is too large or not text. */
const readInside = (folder: string, path: string): string | undefined => {
  let file: number | undefined
  try {
    const real = realpathSync(path)
    const root = realpathSync(folder)
    if (!real.startsWith(root.endsWith(sep) ? root : root + sep)) return undefined
    // Opening a pipe must not wait for its writer.
    file = openSync(real, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW)
    const stat = fstatSync(file)
    if (!stat.isFile() || stat.size > mostBytes) return undefined
    const text = readFileSync(file, "utf8")
    return text.includes("\0") ? undefined : text
  } catch {
    return undefined
  } finally {
    if (file !== undefined) closeSync(file)
  }
}

/** The request, with the unified diff against the existing file, if any, as `metadata.diff`. */
export const withOverwriteDiff = (folder: string, ask: PermissionRequest): PermissionRequest => {
  const { args, tool = "" } = ask
  if (!writes.test(tool) || !Predicate.isObject(args)) return ask
  const { content, file_path } = args
  if (typeof content !== "string" || typeof file_path !== "string" || content.length > mostBytes) return ask
  const before = readInside(folder, isAbsolute(file_path) ? file_path : resolve(folder, file_path))
  if (before === undefined || before === "") return ask
  return { ...ask, metadata: { ...ask.metadata, diff: changedDiff(file_path, before, content) } }
}

/** A gate that adds this diff to each question. */
export const tellingOverwrites = (
  folder: string,
  gate: PermissionGate["Service"]
): PermissionGate["Service"] => ({
  ...gate,
  request: (ask, raw) => gate.request(withOverwriteDiff(folder, ask), raw)
})
