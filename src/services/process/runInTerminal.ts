/** runInTerminal: runs a program in the foreground, on the terminal of the current command. */
import { Effect } from "effect"
import { spawn } from "node:child_process"

/** Gives its exit code when it ends; undefined if it could not be started. */
export const runInTerminal = (
  program: string,
  args: ReadonlyArray<string>,
  cwd: string
): Effect.Effect<number | undefined> =>
  Effect.callback((resume) => {
    const child = spawn(program, args, { cwd, stdio: "inherit" })
    child.once("error", () => resume(Effect.succeed(undefined)))
    child.once("exit", (code, signal) => resume(Effect.succeed(code ?? (signal === null ? 1 : 128))))
  })
