/** relayServer: a whole relay on a port of its own, with agents that do what a test tells them, and pages that use it. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import { it } from "@effect/vitest"
import { Context, Effect, Exit, Layer, Logger, Scope } from "effect"
import { AdapterRegistry } from "../../src/adapters/AdapterRegistry.js"
import type { NativeFiles } from "../../src/adapters/native/NativeFiles.js"
import type { EventBody } from "../../src/schema/index.js"
import { RelayServer } from "../../src/server/RelayServer.js"
import { ServerConfig, type ServerSettings } from "../../src/server/ServerConfig.js"
import * as Audit from "../../src/services/access/Audit.js"
import { Auth, type AuthOptions } from "../../src/services/access/Auth.js"
import { Folders } from "../../src/services/access/Folders.js"
import { BudgetBook } from "../../src/services/budget/BudgetBook.js"
import { IdGenerator } from "../../src/services/IdGenerator.js"
import { Journal } from "../../src/services/journal/Journal.js"
import * as NativeDisk from "../../src/services/native/NativeDisk.js"
import { NativeSessions } from "../../src/services/native/NativeSessions.js"
import { Recorder } from "../../src/services/observe/Recorder.js"
import { Push } from "../../src/services/push/Push.js"
import { RelayConfig, type Settings } from "../../src/services/RelayConfig.js"
import { SearchIndex } from "../../src/services/search/SearchIndex.js"
import { SessionRegistry } from "../../src/services/session/SessionRegistry.js"
import * as Checkpoints from "../../src/services/workspace/Checkpoints.js"
import { Workspace } from "../../src/services/workspace/Workspace.js"
import { type Client, connect } from "./client.js"
import * as FakeAdapter from "./fakeAdapter.js"

export interface Options
  extends FakeAdapter.FakeOptions, AuthOptions, Partial<Settings>, Partial<ServerSettings>
{
  /** Where conversations of a terminal are looked for; default nowhere. */
  readonly native_files?: NativeFiles
  /** Where the audit is written; default nowhere. */
  readonly audit_dir?: string
  /** What it logs; default nothing. */
  readonly log?: Layer.Layer<never>
}

const nowhere = NativeDisk.make({ home: "/nowhere", variables: {} })

const quiet = Logger.layer([])

export const layerOf = (fake: FakeAdapter.FakeAdapter, options: Options) =>
  RelayServer.layer.pipe(
    Layer.provide(SearchIndex.layer),
    Layer.provide(Layer.merge(Push.layer, Layer.provide(Workspace.layer, Folders.layer))),
    Layer.provideMerge(SessionRegistry.layer),
    Layer.provide(AdapterRegistry.layer(Effect.succeed([fake.adapter]))),
    Layer.provide(Layer.merge(Folders.layer, Recorder.layer)),
    Layer.provide(Layer.provide(Checkpoints.layer, Folders.layer)),
    Layer.provideMerge(
      Layer.mergeAll(
        BudgetBook.layer,
        Journal.layer,
        Layer.provide(NativeSessions.layerOf(options.native_files ?? nowhere), Folders.layer)
      )
    ),
    Layer.provide(IdGenerator.layer),
    Layer.provide(RelayConfig.layer(options)),
    Layer.provide(ServerConfig.layer({ host: "127.0.0.1", port: 0, ...options })),
    Layer.provideMerge(Auth.layer(options)),
    Layer.provide(Audit.layer({ ...options.audit_dir !== undefined && { state_dir: options.audit_dir } })),
    Layer.provide(Layer.merge(NodeFileSystem.layer, NodePath.layer)),
    Layer.provide(options.log ?? quiet)
  )

export interface Relay {
  readonly fake: FakeAdapter.FakeAdapter
  readonly port: number
  /** A page that has sent this handshake. */
  readonly connect: (handshake: object | string | Buffer, headers?: Record<string, string>) => Promise<Client>
  /** A page in the session "s", once it is there. */
  readonly join: (fields?: object) => Promise<Client>
  readonly agent: () => FakeAdapter.FakeAgent
  /** End the relay. */
  readonly end: () => Promise<void>
  /** While it ends: wait for no turn any longer. */
  readonly hurry: () => void
}

/** A relay on a port of its own, as long as the test takes. */
export const test = (
  name: string,
  body: (relay: Relay) => Promise<unknown>,
  options: Options = {},
  timeout?: number
) =>
  it.live(name, () =>
    Effect.gen(function*() {
      const fake = FakeAdapter.make({ onCommand: FakeAdapter.answering(), ...options })
      const scope = yield* Effect.acquireRelease(Scope.make(), (scope) => Scope.close(scope, Exit.void))
      const built = yield* Layer.buildWithScope(layerOf(fake, options), scope)
      const { address: { port, secure }, hurry } = Context.get(built, RelayServer)
      const open: Relay["connect"] = (handshake, headers = {}) =>
        connect(`ws${secure ? "s" : ""}://127.0.0.1:${port}/`, handshake as object, { headers })
      yield* Effect.promise(() =>
        body({
          fake,
          port,
          connect: open,
          join: async (fields = {}) => {
            const client = await open({ tool: "fake", session_id: "s", ...fields })
            await client.waitFor("session_start")
            return client
          },
          agent: fake.agent,
          end: () => Effect.runPromise(Scope.close(scope, Exit.void)),
          hurry: () => Effect.runSync(hurry)
        })
      )
    }), timeout)

export const say = (relay: Relay, ...events: ReadonlyArray<EventBody>) =>
  Effect.runPromise(relay.agent().say(...events))
export const line = (text: string): EventBody => ({ type: "stdout", text })
