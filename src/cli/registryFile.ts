/** registryFile: loads the agents of `--acp-registry`. The relay does not start if the file cannot be used. */
import { Effect, FileSystem, Option, Schema } from "effect"
import type { OwnAgent } from "../adapters/acp/AcpAgent.js"
import { readRegistry } from "../adapters/acp/registryFile.js"

export class RegistryUnusable
  extends Schema.TaggedError<RegistryUnusable>()("RegistryUnusable", { reason: Schema.String })
{
  override get message() {
    return this.reason
  }
}

/** The agents; empty if no file was named. Entries that cannot be used here are logged. */
export const loadRegistry = Effect.fnUntraced(function*(file: Option.Option<string>) {
  if (Option.isNone(file)) return [] as ReadonlyArray<OwnAgent>
  const path = file.value
  const files = yield* FileSystem.FileSystem
  const content = yield* Effect.mapError(
    files.readFileString(path),
    ({ message }) => new RegistryUnusable({ reason: `--acp-registry ${path} cannot be read: ${message}` })
  )
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
