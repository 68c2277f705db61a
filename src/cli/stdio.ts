/** stdio: messages on this process's stdin, one per line, and how much of what it says has been read. */
import { Effect } from "effect"

/** Longest message a client may send, in characters: as a relay's frames. */
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
    // An earlier reader may have paused it.
    process.stdin.setEncoding("utf8").on("data", onData).once("end", onEnd).once("error", onEnd).resume()
    // A client that was killed reads no more.
    process.stdout.once("error", onEnd)
    return Effect.sync(() => void process.stdin.off("data", onData).pause())
  })

export const drained = Effect.suspend(() =>
  process.stdout.writableNeedDrain
    ? Effect.callback<void>((resume) => {
      const onDrain = () => resume(Effect.void)
      process.stdout.once("drain", onDrain)
      return Effect.sync(() => process.stdout.off("drain", onDrain))
    })
    : Effect.void
)
