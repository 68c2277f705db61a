/** registryFile: loads the agents of `--acp-registry`. The relay does not start if the file cannot be used. */
import { Effect, FileSystem, Option, Schema } from "effect"
import type { OwnAgent } from "../adapters/acp/AcpAgent.js"
import { presets } from "../adapters/acp/presets.js"
import { registryDifferences } from "../adapters/acp/registryDifferences.js"
import { readRegistry } from "../adapters/acp/registryFile.js"

export class RegistryUnusable
  extends Schema.TaggedError<RegistryUnusable>()("RegistryUnusable", { reason: Schema.String })
{
  override get message() {
    return this.reason
  }
}

const contentOf = Effect.fnUntraced(function*(path: string) {
  const files = yield* FileSystem.FileSystem
  return yield* Effect.mapError(
    files.readFileString(path),
    ({ message }) => new RegistryUnusable({ reason: `--acp-registry ${path} cannot be read: ${message}` })
  )
})

/** The differences between such a file and the known agents, one per line. Undefined if no file was named. */
export const compareRegistry = (file: Option.Option<string>) =>
  Option.match(file, {
    onNone: () => Effect.succeed(undefined),
    onSome: (path) => Effect.map(contentOf(path), (content) => registryDifferences(presets, content))
  })

/** The agents; empty if no file was named. Entries that cannot be used here are logged. */
export const loadRegistry = Effect.fnUntraced(function*(file: Option.Option<string>) {
  if (Option.isNone(file)) return [] as ReadonlyArray<OwnAgent>
  const path = file.value
  const content = yield* contentOf(path)
  const { agents, problems } = readRegistry(content)
  if (agents.length === 0) {
    return yield* new RegistryUnusable({
      reason: `--acp-registry ${path} contains no agent that can be started here: ${
        problems.join("; ") || "it is empty"
      }`
    })
  }
  for (const problem of problems) {
    yield* Effect.logWarning(`--acp-registry ${path}: ${problem}; this agent is skipped`)
  }
  return agents
})
