/** machine: the processes of this machine, read the way its system tells them. */
import { execFileSync } from "node:child_process"
import { ProcessTree, procSource, psArguments, psSource } from "./ProcessTree.js"

const runPs = (): string => {
  try {
    return execFileSync("ps", psArguments, {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
      timeout: 1000
    })
  } catch {
    return ""
  }
}

/** Markers are seen of those who started at `since` or later: by default, after this process. */
export const openTree = (since?: string): ProcessTree =>
  new ProcessTree(process.platform === "linux" ? procSource(since) : psSource(runPs))
