/** deadPorts: all that an adapter may use, where nothing of it works: for building adapters that are not opened. */
import { Effect, FileSystem, Layer, Option, Path } from "effect"
import { HttpClient } from "effect/http"
import { Credentials, ProcessSpawner, TerminalSpawner } from "../../src/adapters/Adapter.js"
import type { AdapterSettings } from "../../src/adapters/AgentDescriptor.js"
import { TranscriptFile } from "../../src/adapters/replay/TranscriptFile.js"

const dead = (what: string) => () => Effect.die(new Error(`${what} here`))

export const layerDeadPorts = Layer.mergeAll(
  Layer.succeed(Credentials, { names: () => [], get: () => Effect.succeed(Option.none()) }),
  Layer.succeed(HttpClient.HttpClient, HttpClient.make(dead("no network is used"))),
  Layer.succeed(ProcessSpawner, { spawn: dead("no process is started") }),
  Layer.succeed(TerminalSpawner, { spawn: dead("no terminal is opened") }),
  Layer.succeed(TranscriptFile, { read: dead("no transcript is read") }),
  FileSystem.layerNoop({}),
  Path.layer
)

export const adapterSettings: AdapterSettings = { allow_programs: [], cortex_hosts: [], cortex_token_env: [] }
