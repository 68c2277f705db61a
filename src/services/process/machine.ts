/** machine: the processes of this machine, read in the way its system offers. */
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

/** Markers are visible of processes that started at `since` or later; by default, after this process. */
export const openTree = (since?: string): ProcessTree =>
  new ProcessTree(process.platform === "linux" ? procSource(since) : psSource(runPs))
