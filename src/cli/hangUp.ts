/**
 * hangUp: the terminal was closed, or its connection lost. That ends the relay as SIGTERM does, in good order; unless it
 * was started to survive it.
 *
 * Node forgets that `nohup` told it to ignore the signal. The shell still says who started it (`_`), and where nobody
 * chose another place `nohup` writes to a file of its name.
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

/** From now on. */
export const endInOrder = (): void => {
  const survives = isToSurvive()
  process.on("SIGHUP", () => {
    if (!survives) process.emit("SIGTERM", "SIGTERM")
  })
}
