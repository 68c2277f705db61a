/**
 * fakeRelay: a real relay on a port of its own whose agents are fakes, for tests of what talks to relays.
 *
 * `unsteady` puts a network between the two that breaks.
 */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import { Context, Effect, Exit, Layer, Logger, Scope } from "effect"
import { once } from "node:events"
import { connect, createServer, type Socket } from "node:net"
import { AdapterRegistry } from "../../src/adapters/AdapterRegistry.js"
import { RelayServer } from "../../src/server/RelayServer.js"
import { ServerConfig, type ServerSettings } from "../../src/server/ServerConfig.js"
import { Auth, type AuthOptions } from "../../src/services/Auth.js"
import { Folders } from "../../src/services/Folders.js"
import { IdGenerator } from "../../src/services/IdGenerator.js"
import { Journal } from "../../src/services/Journal.js"
import { Recorder } from "../../src/services/Recorder.js"
import { RelayConfig, type Settings } from "../../src/services/RelayConfig.js"
import { SessionRegistry } from "../../src/services/SessionRegistry.js"
import * as FakeAdapter from "./fakeAdapter.js"

export interface FakeRelayOptions
  extends FakeAdapter.FakeOptions, AuthOptions, Partial<Settings>, Partial<ServerSettings>
{}

export interface FakeRelay {
  readonly url: string
  readonly port: number
  readonly agent: () => FakeAdapter.FakeAgent
  readonly agents: ReadonlyArray<FakeAdapter.FakeAgent>
  /** Let it go down, telling everybody. */
  readonly end: () => Promise<void>
}

export const start = async (options: FakeRelayOptions = {}): Promise<FakeRelay> => {
  const fake = FakeAdapter.make({ onCommand: FakeAdapter.answering(), ...options })
  const scope = await Effect.runPromise(Scope.make())
  const layer = RelayServer.layer.pipe(
    Layer.provideMerge(SessionRegistry.layer),
    Layer.provide(AdapterRegistry.layer(Effect.succeed([fake.adapter]))),
    Layer.provide(Layer.merge(Folders.layer, Recorder.layer)),
    Layer.provide(Journal.layer),
    Layer.provide(IdGenerator.layer),
    Layer.provide(RelayConfig.layer(options)),
    Layer.provide(ServerConfig.layer({ host: "127.0.0.1", port: 0, ...options })),
    Layer.provide(Auth.layer(options)),
    Layer.provide(Layer.merge(NodeFileSystem.layer, NodePath.layer)),
    Layer.provide(Logger.replace(Logger.defaultLogger, Logger.none))
  )
  const built = await Effect.runPromise(Layer.buildWithScope(layer, scope))
  const { port } = Context.get(built, RelayServer).address
  return {
    url: `ws://127.0.0.1:${port}`,
    port,
    agent: fake.agent,
    agents: fake.agents,
    end: () => Effect.runPromise(Scope.close(scope, Exit.void))
  }
}

export interface Unsteady {
  readonly url: string
  /** Connections that were cut so far. */
  readonly cuts: () => number
  /** Where new connections lead; none are taken while it is undefined. */
  readonly leadTo: (port: number | undefined) => void
  /** From now on connections hold. */
  readonly settle: () => void
  /** Nothing passes any more, and nobody says so. */
  readonly freeze: () => void
  readonly cutAll: () => void
  readonly end: () => Promise<void>
}

/** A way to the relay that is cut after each `nextQuota` bytes of either direction, in the middle of a frame or not. */
export const unsteady = async (port: number, nextQuota: () => number = () => Infinity): Promise<Unsteady> => {
  let target: number | undefined = port
  let cuts = 0
  let steady = false
  let frozen = false
  const open = new Set<Socket>()
  const server = createServer((near) => {
    if (target === undefined) return near.destroy()
    frozen = false
    const far = connect(target, "127.0.0.1")
    let quota = nextQuota()
    const cut = () => {
      near.destroy()
      far.destroy()
    }
    const pass = (from: Socket, to: Socket) => {
      open.add(from)
      from.on("error", cut).on("close", () => {
        open.delete(from)
        cut()
      })
      from.on("data", (data: Buffer) => {
        if (frozen) return
        if (steady || data.length < quota) {
          quota -= data.length
          return to.write(data)
        }
        cuts += 1
        to.write(data.subarray(0, quota), cut)
        quota = 0
      })
    }
    pass(near, far)
    pass(far, near)
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  const address = server.address()
  const cutAll = () => open.forEach((socket) => socket.destroy())
  return {
    url: `ws://127.0.0.1:${typeof address === "object" ? address?.port : ""}`,
    cuts: () => cuts,
    leadTo: (port) => void (target = port),
    settle: () => void (steady = true),
    freeze: () => void (frozen = true),
    cutAll,
    end: async () => {
      server.close()
      cutAll()
      await once(server, "close")
    }
  }
}
