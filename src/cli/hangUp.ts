/**
 * hangUp: SIGHUP, sent when the terminal closes, ends the relay in an orderly way, as SIGTERM does, unless it was started
 * to survive that.
 *
 * Node forgets that `nohup` told it to ignore the signal. What remains to tell by: the shell's `_` variable names `nohup`,
 * and by default its output goes to `nohup.out`.
 */
import { readlinkSync } from "node:fs"
import { basename } from "node:path"

const outputs = ["/proc/self/fd/1", "/proc/self/fd/2"]

const targetOf = (link: string): string => {
  try {
    return basename(readlinkSync(link))
  } catch {
    return ""
  }
}

export const isToSurvive = (
  starter = process.env["_"] ?? "",
  writesTo: ReadonlyArray<string> = outputs.map(targetOf)
): boolean => basename(starter) === "nohup" || writesTo.includes("nohup.out")

/** Installs the signal handler. */
export const endInOrder = (): void => {
  const survives = isToSurvive()
  process.on("SIGHUP", () => {
    if (!survives) process.emit("SIGTERM", "SIGTERM")
  })
}
