/** FileTree: lists folders one level at a time, and reads files one part at a time. */
import { Effect } from "effect"
import { type Dirent, existsSync, lstatSync, opendirSync, readSync, realpathSync, statSync } from "node:fs"
import { basename, dirname, join } from "node:path"
import type {
  FileContent,
  FolderChoice,
  FolderListing,
  TreeEntry,
  TreeListing
} from "../../schema/WorkspaceAnswers.js"
import { attempt } from "../attempt.js"
import { type Inside, isPrivate, openIn, pathAt } from "./insideFolder.js"
import { isInside } from "./unkept.js"
import { refuse } from "./WorkspaceRefused.js"

/** Entries returned, and entries read to find the first of them. */
const mostTold = 2000
const mostSeen = 20_000
/** Bytes of one answer: the default, and the maximum. */
export const partBytes = { usual: 256 * 1024, most: 1024 * 1024 } as const
/** A zero byte within this many bytes means that a file is not text. */
const sniffed = 8192

const isLessThan = (left: string, right: string) => left < right ? -1 : left > right ? 1 : 0
const byName = (left: { readonly name: string }, right: { readonly name: string }) =>
  isLessThan(left.name.toLowerCase(), right.name.toLowerCase()) || isLessThan(left.name, right.name)

const isFolder = ({ kind, leads_to }: TreeEntry) => kind === "folder" || leads_to === "folder"

/** The first entries of a folder, with their names as on disk. */
const entriesOf = (
  path: string
): { readonly found: ReadonlyArray<Dirent<Buffer>>; readonly isAll: boolean } => {
  // Node takes "buffer" here, as for readdir; its types do not say so.
  const folder = opendirSync(path, { encoding: "buffer" as BufferEncoding })
  const found: Array<Dirent<Buffer>> = []
  try {
    for (let entry = folder.readSync(); entry !== null; entry = folder.readSync()) {
      if (found.length === mostSeen) return { found, isAll: false }
      found.push(entry as unknown as Dirent<Buffer>)
    }
    return { found, isAll: true }
  } finally {
    folder.closeSync()
  }
}

const leadsTo = (inside: Inside, path: string): "folder" | "file" | undefined =>
  attempt(() => {
    const real = realpathSync.native(path)
    if (!isInside(real, inside.folder) || isPrivate(inside, real)) return undefined
    const stat = statSync(real)
    return stat.isDirectory() ? "folder" : stat.isFile() ? "file" : undefined
  })

/** The contents of a folder below the session's. */
export const list = (inside: Inside, path: string) =>
  Effect.scoped(Effect.gen(function*() {
    const opened = yield* openIn(inside, path, "folder")
    const base = pathAt(opened)
    const { found, isAll } = yield* Effect.try({
      try: () => entriesOf(base),
      catch: () =>
        refuse("missing", `${JSON.stringify(path)} can no longer be listed: list its parent folder`)
    })
    const named = found.map((entry) => {
      const name = entry.name.toString("utf8")
      const kind = entry.isDirectory()
        ? "folder"
        : entry.isFile()
        ? "file"
        : entry.isSymbolicLink()
        ? "link"
        : "other"
      return { name, kind, bytes: entry.name } as const
    }).filter(({ name }) => !isPrivate(inside, join(opened.real, name)))
    const first = named
      .toSorted((left, right) =>
        Number(left.kind !== "folder") - Number(right.kind !== "folder") || byName(left, right)
      )
      .slice(0, mostTold)
    const entries = first.map(({ bytes, kind, name }): TreeEntry => {
      const at = Buffer.concat([Buffer.from(`${base}/`), bytes])
      const stat = attempt(() => lstatSync(at))
      const leads_to = kind === "link" ? leadsTo(inside, join(base, name)) : undefined
      return {
        name,
        kind,
        ...(leads_to !== undefined && { leads_to }),
        ...(kind === "file" && stat !== undefined && { size: stat.size }),
        ...(stat !== undefined && { modified_at: stat.mtimeMs / 1000 }),
        ...(name.startsWith(".") && { hidden: true }),
        ...(!Buffer.from(name).equals(bytes) && { unnameable: true })
      }
    })
    const listing: TreeListing = {
      path,
      entries: entries.toSorted((left, right) =>
        Number(!isFolder(left)) - Number(!isFolder(right)) || byName(left, right)
      ),
      ...((!isAll || named.length > mostTold) && { truncated: true })
    }
    return listing
  }))

/** Where the last complete character ends. */
export const wholeTo = (bytes: Buffer): number => {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0
    if (byte < 0x80) return bytes.length
    if (byte >= 0xc0) {
      const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2
      return back < length ? bytes.length - back : bytes.length
    }
  }
  return bytes.length
}

const readAt = (fd: number, offset: number, length: number): Buffer => {
  const bytes = Buffer.alloc(length)
  let filled = 0
  while (filled < length) {
    const count = readSync(fd, bytes, filled, length - filled, offset + filled)
    if (count === 0) break
    filled += count
  }
  return bytes.subarray(0, filled)
}

/** A part of a file as text. `offset` and `length` in bytes; a part ends at the end of a character. */
export const read = (inside: Inside, path: string, offset = 0, length: number = partBytes.usual) =>
  Effect.scoped(Effect.gen(function*() {
    const { fd, stat } = yield* openIn(inside, path, "file")
    const looked = yield* Effect.try({
      try: () => ({
        head: readAt(fd, 0, Math.min(sniffed, stat.size)),
        part: readAt(fd, offset, Math.min(length, partBytes.most, Math.max(0, stat.size - offset)))
      }),
      catch: () => refuse("forbidden", `${JSON.stringify(path)} cannot be read: its disk fails`)
    })
    const about = { path, size: stat.size, modified_at: stat.mtimeMs / 1000, offset }
    const binary: FileContent = { ...about, binary: true }
    if (looked.head.includes(0) || looked.part.includes(0)) return binary
    const end = offset + looked.part.length
    const isLast = looked.part.length === 0 || end >= stat.size
    const part = isLast ? looked.part : looked.part.subarray(0, wholeTo(looked.part))
    const next = offset + part.length
    const content: FileContent = {
      ...about,
      text: part.toString("utf8"),
      ...(!isLast && part.length > 0 && { next_offset: next })
    }
    return content
  }))

// --- choosing a folder -----------------------------------------------------------------------------------------------

const choiceOf = (path: string, name = basename(path) || path): FolderChoice => ({
  name,
  path,
  ...(name.startsWith(".") && { hidden: true }),
  ...(existsSync(join(path, ".git")) && { repository: true })
})

/** The roots a person may begin from. */
export const beginnings = (folders: ReadonlyArray<string>): FolderListing => ({
  folders: folders.map((path) => choiceOf(path, path))
})

/** The folders in an allowed one; `isAllowed` is called with real paths. */
export const foldersIn = (folder: string, isAllowed: (real: string) => boolean) =>
  Effect.try({
    try: (): FolderListing => {
      const { found, isAll } = entriesOf(folder)
      const folders = found.flatMap((entry) => {
        const name = entry.name.toString("utf8")
        if (!entry.isDirectory() && !entry.isSymbolicLink()) return []
        if (name === ".git" || !Buffer.from(name).equals(entry.name)) return []
        const path = join(folder, name)
        const real = attempt(() => realpathSync.native(path))
        if (real === undefined || !isAllowed(real)) return []
        if (entry.isSymbolicLink() && attempt(() => statSync(real).isDirectory()) !== true) return []
        return [{ name, path }]
      }).toSorted(byName)
      const parent = dirname(folder)
      return {
        folder,
        ...(parent !== folder && isAllowed(parent) && { parent }),
        folders: folders.slice(0, mostTold).map(({ name, path }) => choiceOf(path, name)),
        ...((!isAll || folders.length > mostTold) && { truncated: true })
      }
    },
    catch: () =>
      refuse(
        "forbidden",
        `the relay may not list ${JSON.stringify(folder)}: change its permissions, or choose another folder`
      )
  })
