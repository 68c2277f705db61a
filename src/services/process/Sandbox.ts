/**
 * Sandbox: starts an agent inside bubblewrap (`--sandbox`).
 *
 * The agent sees the machine read-only. It can write to the session's folder, to its own program's files (`writable`), and to
 * a private `/tmp`. Hidden from it are the relay's state and secrets, other users' homes, sockets of services (`/run`), and all
 * processes but its own, so it can neither read the relay's environment nor signal it. When bubblewrap or the relay ends, the
 * system ends everything started inside.
 *
 * It shares the machine's network, because agents need that. The relay's own check (`PeerProcesses`) keeps agents from being
 * clients of their relay; nothing in the sandbox escapes it, because no process can leave the tree it was started in.
 */
import { Effect, Schema } from "effect"
import { execFile } from "node:child_process"
import { existsSync, realpathSync, statSync, writeFileSync } from "node:fs"
import { dirname, isAbsolute, join, relative, sep } from "node:path"
import { createFolder } from "../disk/createFolder.js"
import { relayEnvironment } from "./AgentEnvironment.js"
import { findProgram } from "./findProgram.js"

/** The operator's settings. */
export interface SandboxSettings {
  /** Files and folders of the relay that no agent may see. One that ends in `/` is a folder, and made if it is missing. */
  readonly hidden: ReadonlyArray<string>
  /** Folders that agents may read, or also write, although they are in hidden places. */
  readonly readable: ReadonlyArray<string>
  readonly writable: ReadonlyArray<string>
  /** What other agents' programs may write, as in their descriptors: nothing may be put in its place. */
  readonly others: ReadonlyArray<string>
}

/** The sandbox was requested but does not work here. */
export class SandboxUnusable extends Schema.TaggedError<SandboxUnusable>()("SandboxUnusable", {
  reason: Schema.String
}) {
  override get message() {
    return `the sandbox does not work here: ${this.reason}`
  }
}

export interface Inside {
  /** Its program's own files, as in its descriptor. */
  readonly writable: ReadonlyArray<string>
  readonly cwd: string
  /** Whether it may not write to `cwd`. */
  readonly only_reads: boolean
  /** Absolute. */
  readonly program: string
  readonly args: ReadonlyArray<string>
  readonly env: Readonly<Record<string, string>>
}

const isIn = (path: string, folder: string): boolean => {
  const way = relative(folder, path)
  return way === "" || (way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way))
}

/** The real path; unchanged if nothing is there. */
const real = (path: string): string => {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}

/** Folders whose contents are hidden, except what is shown explicitly. */
const curtained = ["/home", "/root", "/tmp", "/var/tmp", "/run", "/media", "/mnt"]
/** Files needed to resolve host names. */
const resolvers = ["/run/systemd/resolve", "/run/resolvconf", "/run/NetworkManager", "/run/nscd"]

const expand = (place: string, env: Inside["env"]): string | undefined => {
  if (place.startsWith("$")) {
    const value = env[place.slice(1)]
    return value !== undefined && isAbsolute(value) ? value : undefined
  }
  const home = env["HOME"]
  return place.startsWith("~/")
    ? home !== undefined && isAbsolute(home) ? join(home, place.slice(2)) : undefined
    : place
}

/** Creates a missing path, because inside its parent is read-only. A name that ends in `.json` is a file. */
const made = (path: string): string => {
  if (!existsSync(path)) {
    try {
      const isFile = path.endsWith(".json")
      createFolder(isFile ? dirname(path) : path)
      if (isFile) writeFileSync(path, "{}\n", { mode: 0o600, flag: "wx" })
    } catch {
      // The agent will report what it cannot write.
    }
  }
  return real(path)
}

/** Whether a session's folder, whose real path was allowed, now leads elsewhere: agents can put a link in its place. */
export const isMoved = (cwd: string): boolean => real(cwd) !== cwd

/**
 * The folders between a writable one and this path. Each becomes a mount of its own, which cannot be moved: by moving one, an
 * agent could bring what is hidden in it to another name, where the next agent sees it, or put a link in the place of what will
 * be writable.
 */
const foldersAbove = (path: string, writable: ReadonlyArray<string>): ReadonlyArray<string> => {
  const above = dirname(path)
  return above !== path && writable.some((outer) => outer !== above && isIn(above, outer))
    ? [...foldersAbove(above, writable), above]
    : []
}
/** Mounts for these paths, the outer ones first, and for the folders above them. */
const bindAll = (paths: ReadonlyArray<string>, inner: ReadonlyArray<string>): ReadonlyArray<string> =>
  [...new Set([...paths, ...[...paths, ...inner].flatMap((path) => foldersAbove(path, paths))])]
    .toSorted((left, right) => left.length - right.length)
    .flatMap((path) => ["--bind", path, path])

/** Arguments for bubblewrap. Later mounts cover earlier ones. */
export const argsOf = (settings: SandboxSettings, inside: Inside): ReadonlyArray<string> => {
  const { args, env, program } = inside
  const cwd = real(inside.cwd)
  const home = env["HOME"] === undefined ? undefined : real(env["HOME"])
  const hidden = settings.hidden.map((path) => path.endsWith(sep) ? made(path) : path).filter((path) =>
    existsSync(path)
  ).map(real)
  const writable = [
    ...inside.writable.flatMap((place) => expand(place, env) ?? []).map(made),
    ...settings.writable.map(made),
    ...inside.only_reads ? [] : [cwd]
  ].filter((path) => existsSync(path))
  const others = settings.others.flatMap((place) => expand(place, env) ?? [])
    .filter((path) => existsSync(path)).map(real)
    .filter((path) => writable.some((outer) => outer !== path && isIn(path, outer)))
  const shown = [
    ...home === undefined ? [] : [home],
    ...settings.readable.map(real),
    // The program itself, where its name is a link, too.
    dirname(program),
    dirname(real(program))
  ].filter((path) => existsSync(path) && !curtained.includes(path) && path !== "/")
  const hide = (path: string) =>
    statSync(path).isDirectory() ? ["--tmpfs", path] : ["--ro-bind", "/dev/null", path]
  const hiddenBelow = hidden.filter((path) => path !== cwd && isIn(path, cwd))
  return [
    ...["--die-with-parent", "--unshare-pid", "--unshare-ipc"],
    ...process.getuid?.() === 0 ? ["--cap-drop", "ALL"] : [],
    ...["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"],
    ...curtained.filter((path) => existsSync(path) && real(path) === path).flatMap((
      path
    ) => ["--tmpfs", path]),
    ...resolvers.flatMap((path) => ["--ro-bind-try", path, path]),
    ...shown.flatMap((path) => ["--ro-bind", path, path]),
    ...bindAll([...writable, ...others], hidden),
    ...hidden.flatMap(hide),
    // A session may be opened in a part of what is hidden, where the operator says so by a root.
    ...!inside.only_reads && hidden.some((path) => isIn(cwd, path))
      // What is hidden in that part stays so.
      ? [...bindAll([cwd], hiddenBelow), ...hiddenBelow.flatMap(hide)]
      : [],
    ...["--chdir", cwd, "--", program, ...args]
  ]
}

/** What to do if it does not work. */
const advice =
  "install bubblewrap (`apt install bubblewrap`, `dnf install bubblewrap`), allow user namespaces "
  + "(`sysctl kernel.unprivileged_userns_clone=1`, or `kernel.apparmor_restrict_unprivileged_userns=0`; in Docker "
  + "`--security-opt seccomp=unconfined`), or start the relay without --sandbox"

/** The path of bubblewrap; fails if it does not work on this machine. */
export const check: Effect.Effect<string, SandboxUnusable> = Effect.suspend(() => {
  if (process.platform !== "linux") {
    return new SandboxUnusable({ reason: "it needs Linux: start the relay without --sandbox" })
  }
  const { HOME = "/", PATH = "" } = relayEnvironment()
  const bwrap = findProgram("bwrap", { PATH, HOME }, "/")
  if (bwrap === undefined) return new SandboxUnusable({ reason: `bwrap is not installed: ${advice}` })
  const trial = [
    "--ro-bind",
    "/",
    "/",
    "--dev",
    "/dev",
    "--proc",
    "/proc",
    "--tmpfs",
    "/tmp",
    "--unshare-pid"
  ]
  return Effect.callback<string, SandboxUnusable>((resume) => {
    execFile(
      bwrap,
      [...trial, "--unshare-ipc", "--", "/bin/sh", "-c", ":"],
      { timeout: 10_000 },
      (error, _, said) =>
        resume(
          error === null
            ? Effect.succeed(bwrap)
            : Effect.fail(
              new SandboxUnusable({
                reason: `bwrap says "${said.trim().split("\n").at(-1) ?? error.message}": ${advice}`
              })
            )
        )
    )
  })
})
