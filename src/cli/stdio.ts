/** stdio: messages on this process's stdin and stdout, one per line. */
import { Effect } from "effect"

/** Longest message a client may send, in characters; the same as a relay's frames. */
const longest = 50 * 1024 * 1024

/** Calls `onLine` with each line of stdin; completes when the client is gone. */
export const lines = (onLine: (line: string) => void) =>
  Effect.callback<void>((resume) => {
    let rest = ""
    const onData = (chunk: string) => {
      const parts = (rest + chunk).split("\n")
      rest = parts.pop() ?? ""
      if (rest.length > longest) return onEnd()
      for (const line of parts) if (line.trim() !== "") onLine(line)
    }
    const onEnd = () => resume(Effect.void)
    // Its editor may have left while the program was loaded.
    if (process.stdin.readableEnded || process.stdin.destroyed) return onEnd()
    // An earlier reader may have paused stdin.
    process.stdin.setEncoding("utf8").on("data", onData).once("end", onEnd).once("error", onEnd).resume()
    // A client that was killed stops reading.
    process.stdout.once("error", onEnd)
    return Effect.sync(() => void process.stdin.off("data", onData).pause())
  })

/** Completes when stdout can take more. */
export const drained = Effect.suspend(() =>
  process.stdout.writableNeedDrain
    ? Effect.callback<void>((resume) => {
      const onDrain = () => resume(Effect.void)
      process.stdout.once("drain", onDrain)
      return Effect.sync(() => process.stdout.off("drain", onDrain))
    })
    : Effect.void
)
