/** lab: `ai-relay lab` serves many users, each with their own relay. Its settings are the variables `LAB_…`. */
import { Effect } from "effect"
import { Command } from "effect/cli"
import { serveOptions } from "./options.js"

const load = Effect.promise(() => import("./serveLab.js"))

export const lab = Command.make(
  "lab",
  serveOptions,
  (flags) => Effect.flatMap(load, ({ serveLab }) => serveLab(flags))
)

export const labHelp = Effect.map(load, ({ labHelp }) => labHelp)
