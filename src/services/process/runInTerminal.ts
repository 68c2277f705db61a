/** runInTerminal: a program in the foreground, on the terminal the relay's own command was started on. */
import { Effect } from "effect"
import { spawn } from "node:child_process"

/** Its exit code when it is over; undefined if it could not be started. */
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
