/**
 * NativeFiles: what the readers of native sessions may see of the machine: the agents' own files, and who has them open.
 *
 * Read only. Synchronous and small: each call reads at most what it is asked for; who calls it often pauses in between
 * (`Steps`). No link is followed below a store, no file of another user is read.
 */

/** Tells one version of a file from another. */
export interface FileStamp {
  readonly dev: number
  readonly ino: number
  /** Bytes. */
  readonly size: number
  /** When it was written last, in ms since 1970. */
  readonly mtime: number
}

export interface FolderEntry {
  readonly name: string
  readonly isFolder: boolean
}

/** A running program. */
export interface RunningProgram {
  readonly pid: number
  readonly argv: ReadonlyArray<string>
  /** Where it runs. */
  readonly folder: string
}

export interface NativeFiles {
  /** The home folder of the relay's user. */
  readonly home: string
  /** A variable of the relay that says where an agent keeps its files. */
  readonly variable: (name: string) => string | undefined
  /** Files and folders in a folder, links left out; none if it cannot be read. */
  readonly entries: (folder: string) => ReadonlyArray<FolderEntry>
  /** Undefined for all that is no regular file of the relay's own user. */
  readonly stamp: (file: string) => FileStamp | undefined
  /** So many bytes from there, fewer at the end, none if it cannot be read. */
  readonly read: (file: string, from: number, length: number) => Buffer
  /** Where a Unix socket of the relay's own user really lies; undefined if there is none. */
  readonly socket: (path: string) => string | undefined
  /** Ms since 1970. */
  readonly now: () => number
  /** When a living process started, in the system's own words; undefined when it is gone, "" when nobody can say. */
  readonly startOf: (pid: number) => string | undefined
  /** It was started by this relay, or by something that was. */
  readonly isRelays: (pid: number) => boolean
  /** Who holds an flock on this file, as far as the system tells. */
  readonly lockHolder: (file: FileStamp) => number | undefined
  /** Programs of the relay's own user that run now, as far as the system tells. */
  readonly programs: () => ReadonlyArray<RunningProgram>
}

/** Work that takes longer than a moment, cut into steps so that its caller can let others go first. */
export type Steps<A> = Generator<undefined, A>

/** All steps at once, for what is known to be short. */
export const runSteps = <A>(steps: Steps<A>): A => {
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
  }
}
