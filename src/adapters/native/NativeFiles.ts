/**
 * NativeFiles: the machine as seen by the readers of native sessions: the agents' own files, and which
 * processes have them open.
 *
 * Read-only. Synchronous and small: each call reads at most what it is asked for; frequent callers pause in
 * between (`Steps`). No link below a store is followed and no file of another user is read.
 */

/** Distinguishes versions of a file. */
export interface FileStamp {
  readonly dev: number
  readonly ino: number
  /** Bytes. */
  readonly size: number
  /** Time of the last write, in ms since 1970. */
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
  /** Its working folder. */
  readonly folder: string
}

export interface NativeFiles {
  /** The home folder of the relay's user. */
  readonly home: string
  /** A relay variable that says where an agent keeps its files. */
  readonly variable: (name: string) => string | undefined
  /** Files and folders in a folder, without links; empty if it cannot be read. */
  readonly entries: (folder: string) => ReadonlyArray<FolderEntry>
  /** Undefined for anything but a regular file owned by the relay's user. */
  readonly stamp: (file: string) => FileStamp | undefined
  /** `length` bytes from `from`; fewer at the end, none if it cannot be read. */
  readonly read: (file: string, from: number, length: number) => Buffer
  /** The real path of a Unix socket owned by the relay's user; undefined if there is none. */
  readonly socket: (path: string) => string | undefined
  /** Ms since 1970. */
  readonly now: () => number
  /** When a process started, in the system's own format; undefined if it is gone, "" if unknown. */
  readonly startOf: (pid: number) => string | undefined
  /** Whether it was started by this relay or one of its descendants. */
  readonly isRelays: (pid: number) => boolean
  /** The process that holds an flock on this file, if the system tells. */
  readonly lockHolder: (file: FileStamp) => number | undefined
  /** Running programs of the relay's user, if the system tells. */
  readonly programs: () => ReadonlyArray<RunningProgram>
}

/** Longer work cut into steps, so that its caller can let other work run in between. */
export type Steps<A> = Generator<undefined, A>

/** Run all steps at once, for work known to be short. */
export const runSteps = <A>(steps: Steps<A>): A => {
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
  }
}
