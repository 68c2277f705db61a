/**
 * insideFolder: opens files in a folder and nothing outside it, even if the folder is changed meanwhile.
 *
 * A path is resolved, following links, and compared. Then it is opened without following links and without blocking (a pipe
 * would block the relay), and the system is asked where the opened file is, so what is read is what was compared. Git's own
 * files and those of the relay are not shown.
 */
import { Effect, type Scope } from "effect"
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readlinkSync,
  realpathSync,
  type Stats
} from "node:fs"
import { join, relative, sep } from "node:path"
import { isInside } from "./unkept.js"
import { refuse, type WorkspaceRefused } from "./WorkspaceRefused.js"

export interface Inside {
  /** Absolute, real. */
  readonly folder: string
  /** Whether a real path is the relay's own. */
  readonly hides: (real: string) => boolean
}

export interface Opened {
  readonly fd: number
  /** Its real path. */
  readonly real: string
  readonly stat: Stats
}

/** Longest path, in characters. */
const longestPath = 4096

/** The parts of a path relative to the folder; undefined if it is invalid. */
export const partsOf = (path: string): ReadonlyArray<string> | undefined => {
  if (path.length > longestPath || path.includes("\0") || path.startsWith("/")) return undefined
  const parts = path.split("/").filter((part) => part !== "" && part !== ".")
  return parts.includes("..") ? undefined : parts
}

/** For messages: a name must not look like anything else. */
export const quoted = (path: string) => JSON.stringify(path.length > 200 ? `${path.slice(0, 200)}…` : path)

const notInside = (path: string) =>
  refuse(
    "wrong",
    `${quoted(path)} is not a path in the session's folder: use one relative to it, without \`..\``
  )
const leadsOut = (path: string) =>
  refuse(
    "forbidden",
    `${quoted(path)} leads outside the session's folder: open a session in the folder it leads to`
  )
const own = (path: string) =>
  refuse(
    "forbidden",
    `${quoted(path)} belongs to git or the relay and is not shown: look at it on the relay's machine`
  )
const missing = (path: string) =>
  refuse("missing", `there is no ${quoted(path)} in the session's folder: list the folder it should be in`)

/** Git's files, which may hold passwords for other machines, or the relay's. */
export const isPrivate = ({ folder, hides }: Inside, real: string): boolean =>
  hides(real) || relative(folder, real).split(sep).some((part) => part.toLowerCase() === ".git")

/**
 * The path a name leads to after following links; it is in the folder and may be shown. It may change a
 * moment later.
 */
export const placeIn = (inside: Inside, path: string): Effect.Effect<string, WorkspaceRefused> =>
  Effect.suspend(() => {
    const parts = partsOf(path)
    if (parts === undefined) return Effect.fail(notInside(path))
    let real: string
    try {
      real = realpathSync.native(join(inside.folder, ...parts))
    } catch {
      return Effect.fail(missing(path))
    }
    return checked(inside, path, real)
  })

const checked = (inside: Inside, path: string, real: string): Effect.Effect<string, WorkspaceRefused> =>
  !isInside(real, inside.folder)
    ? Effect.fail(leadsOut(path))
    : isPrivate(inside, real)
    ? Effect.fail(own(path))
    : Effect.succeed(real)

/** An opened file's name in the system's own list; undefined where there is none. */
const listedAt = (fd: number): string | undefined => {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`)
  } catch {
    return undefined
  }
}

/** Where an opened file is now; undefined if unknown. */
const whereIs = (fd: number, real: string): string | undefined => {
  const listed = listedAt(fd)
  if (listed !== undefined) return listed
  try {
    const again = realpathSync.native(real)
    const [there, opened] = [lstatSync(again), fstatSync(fd)]
    return there.ino === opened.ino && there.dev === opened.dev ? again : undefined
  } catch {
    return undefined
  }
}

/** A path for the contents of an opened folder, whatever happened to the folder's own name. */
export const pathAt = ({ fd, real }: Opened): string =>
  listedAt(fd) === undefined ? real : `/proc/self/fd/${fd}`

const sayOpening = (path: string, wanted: "file" | "folder", cause: unknown): WorkspaceRefused => {
  const code = (cause as NodeJS.ErrnoException).code
  switch (code) {
    case "EACCES":
    case "EPERM":
      return refuse("forbidden", `the relay may not read ${quoted(path)}: change its permissions`)
    case "ENOTDIR":
      return refuse("wrong", `${quoted(path)} is not a folder: read it as a file`)
    case "ENOENT":
    case "ELOOP":
      return missing(path)
    default:
      return refuse(
        "wrong",
        `${quoted(path)} cannot be opened as a ${wanted} (${code ?? "no reason given"}): choose another`
      )
  }
}

/** Opens a file or folder for reading; closed with the scope. */
export const openIn = (
  inside: Inside,
  path: string,
  wanted: "file" | "folder"
): Effect.Effect<Opened, WorkspaceRefused, Scope.Scope> =>
  Effect.flatMap(placeIn(inside, path), (real) =>
    Effect.acquireRelease(
      Effect.try({
        try: () => {
          const { O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants
          return openSync(real, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | (wanted === "folder" ? O_DIRECTORY : 0))
        },
        catch: (cause) => sayOpening(path, wanted, cause)
      }),
      (fd) => Effect.sync(() => closeSync(fd))
    ).pipe(Effect.flatMap((fd) => {
      const stat = fstatSync(fd)
      if (wanted === "file" && !stat.isFile()) {
        return Effect.fail(refuse(
          "wrong",
          stat.isDirectory()
            ? `${quoted(path)} is a folder: list it`
            : `${quoted(path)} is neither a file nor a folder and cannot be read: choose another`
        ))
      }
      const at = whereIs(fd, real)
      if (at === undefined) return Effect.fail(missing(path))
      return Effect.map(checked(inside, path, at), (real): Opened => ({ fd, real, stat }))
    })))
