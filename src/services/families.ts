/**
 * families: every agent that was started and is not yet brought to an end, with all it started.
 *
 * If the relay exits before that, all are killed at once.
 */
import { execFileSync } from "node:child_process"
import { type Leader, ProcessFamily } from "./ProcessFamily.js"
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

const tree = new ProcessTree(process.platform === "linux" ? procSource() : psSource(runPs))

const living = new Set<ProcessFamily>()
process.on("exit", () => living.forEach((family) => family.kill()))

/** A program started this very moment, its environment marked with `marker`. */
export const found = (leader: Leader, marker: string): ProcessFamily => {
  const family = new ProcessFamily(tree, leader, marker)
  living.add(family)
  return family
}

/** It was brought to an end. */
export const forget = (family: ProcessFamily): void => void living.delete(family)
