/**
 * overwriteDiff: what a tool that writes a whole file would change of the file that is there. Agents tell only the new
 * text, and a person who is asked must see what would be lost.
 */
import { Predicate } from "effect"
import { closeSync, constants, fstatSync, openSync, readFileSync, realpathSync } from "node:fs"
import { isAbsolute, resolve, sep } from "node:path"
import type { PermissionGate } from "../../adapters/Adapter.js"
import { changedDiff } from "../../adapters/wire/unifiedDiff.js"
import type { PermissionRequest } from "../../schema/index.js"

/** Larger files are not read: the question must not wait for them. In bytes. */
const mostBytes = 1024 * 1024

const writes = /^(?:write|write_file|create_file)$/i

/** A file inside of the folder, as text; undefined if it is none, or too large, or not text. */
const readInside = (folder: string, path: string): string | undefined => {
  let file: number | undefined
  try {
    const real = realpathSync(path)
    const root = realpathSync(folder)
    if (!real.startsWith(root.endsWith(sep) ? root : root + sep)) return undefined
    // What waits for a writer, as a pipe does, must not be waited for.
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

/** The request, with the difference to the file on disk as `metadata.diff` (unified) if there is such a file. */
export const withOverwriteDiff = (folder: string, ask: PermissionRequest): PermissionRequest => {
  const { args, tool = "" } = ask
  if (!writes.test(tool) || !Predicate.isObject(args)) return ask
  const { content, file_path } = args
  if (typeof content !== "string" || typeof file_path !== "string" || content.length > mostBytes) return ask
  const before = readInside(folder, isAbsolute(file_path) ? file_path : resolve(folder, file_path))
  if (before === undefined || before === "") return ask
  return { ...ask, metadata: { ...ask.metadata, diff: changedDiff(file_path, before, content) } }
}

/** A gate that tells it with each question. */
export const tellingOverwrites = (
  folder: string,
  gate: PermissionGate["Service"]
): PermissionGate["Service"] => ({
  ...gate,
  request: (ask, raw) => gate.request(withOverwriteDiff(folder, ask), raw)
})
