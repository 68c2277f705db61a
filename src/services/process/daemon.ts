/**
 * daemon: starts a program that lives on when this one ends, in a session of its own. It is nobody's child for long: it is
 * not stopped, watched or reaped from here.
 */
import { spawn } from "node:child_process"
import { closeSync, mkdirSync, openSync } from "node:fs"
import { dirname } from "node:path"
import { messageOf } from "../../schema/messageOf.js"

export interface Daemon {
  readonly program: string
  readonly args: ReadonlyArray<string>
  readonly cwd: string
  /** Where it prints, stdout and stderr; the file and its folder are made, for this user alone. */
  readonly log: string
  /** Why it could not be started. */
  readonly onFailed: (reason: string) => void
}

export const start = ({ args, cwd, log, onFailed, program }: Daemon): void => {
  try {
    mkdirSync(dirname(log), { recursive: true, mode: 0o700 })
    const out = openSync(log, "a", 0o600)
    const child = spawn(program, args, { cwd, detached: true, stdio: ["ignore", out, out] })
    child.on("error", ({ message }) => onFailed(message))
    child.unref()
    closeSync(out)
  } catch (error) {
    onFailed(messageOf(error))
  }
}
