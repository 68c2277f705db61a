/**
 * daemon: starts a program in its own session that outlives this one. It is not stopped, watched or reaped from here.
 */
import { spawn } from "node:child_process"
import { closeSync, openSync } from "node:fs"
import { dirname } from "node:path"
import { messageOf } from "../../schema/messageOf.js"
import { createFolder } from "../disk/createFolder.js"

export interface Daemon {
  readonly program: string
  readonly args: ReadonlyArray<string>
  readonly cwd: string
  /** The file for stdout and stderr; it and its folder are created for this user only. */
  readonly log: string
  /** Called with the reason if it could not be started. */
  readonly onFailed: (reason: string) => void
}

export const start = ({ args, cwd, log, onFailed, program }: Daemon): void => {
  try {
    createFolder(dirname(log))
    const out = openSync(log, "a", 0o600)
    const child = spawn(program, args, { cwd, detached: true, stdio: ["ignore", out, out] })
    child.on("error", ({ message }) => onFailed(message))
    child.unref()
    closeSync(out)
  } catch (error) {
    onFailed(messageOf(error))
  }
}
