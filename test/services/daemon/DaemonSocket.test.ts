/** A program that runs already, reached over its Unix socket. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Scope } from "effect"
import { once } from "node:events"
import { mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type WebSocket, WebSocketServer } from "ws"
import { DaemonConnector, EventSink } from "../../../src/adapters/Adapter.js"
import * as DaemonSocket from "../../../src/services/daemon/DaemonSocket.js"
import * as NativeDisk from "../../../src/services/native/NativeDisk.js"
import { cleanUpAfterEach } from "../../support/cleanUp.js"

const cleanUp = cleanUpAfterEach()

const newFolder = () => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "daemon-")))
  cleanUp(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** A daemon that says what it is told in capitals, twice. */
const startDaemon = async (path: string) => {
  const http = createServer()
  const server = new WebSocketServer({ server: http })
  const sockets = new Set<WebSocket>()
  server.on("connection", (socket) => {
    sockets.add(socket)
    socket.on("close", () => sockets.delete(socket))
    socket.on("message", (text) => {
      for (let times = 0; times < 2; times++) socket.send(String(text).toUpperCase())
    })
  })
  http.listen(path)
  await once(http, "listening")
  const end = () => {
    for (const socket of sockets) socket.terminate()
    server.close()
    http.close()
  }
  cleanUp(end)
  return { end, sockets }
}

const connect = (socket: string) => {
  const lines: Array<string> = []
  const waiting: Array<() => void> = []
  let hasRoom = true
  let drained = () => {}
  const sink = EventSink.of({
    emit: () => {},
    splice: () => {},
    batch: (write) => {
      write()
      for (const wake of waiting.splice(0)) wake()
      return hasRoom
    },
    onceDrained: (resume) => (drained = resume),
    inTurn: () => false
  })
  const opened = Effect.gen(function*() {
    const { connect } = yield* DaemonConnector
    return yield* connect({ tool: "Codex", socket }, (line) => lines.push(line.toString()))
  }).pipe(Effect.provide(DaemonSocket.layer), Effect.provideService(EventSink, sink))
  const scope = Effect.runSync(Scope.make())
  cleanUp(() => Effect.runPromise(Scope.close(scope, Exit.void)))
  return {
    opened: Effect.runPromise(Scope.provide(opened, scope)),
    scope,
    lines,
    until: async (count: number) => {
      while (lines.length < count) await new Promise<void>((resolve) => waiting.push(resolve))
    },
    fill: () => void (hasRoom = false),
    drain: () => {
      hasRoom = true
      drained()
    }
  }
}

describe("DaemonSocket", () => {
  it("passes lines both ways, and waits while the sink has enough", async () => {
    const path = join(newFolder(), "a.sock")
    await startDaemon(path)
    const client = connect(path)
    const agent = await client.opened
    await Effect.runPromise(agent.writeLine("{\"a\":\"ü\"}"))
    await client.until(2)
    assert.deepStrictEqual(client.lines, ["{\"A\":\"Ü\"}", "{\"A\":\"Ü\"}"])
    client.fill()
    await Effect.runPromise(agent.writeLine("b"))
    await client.until(3)
    client.drain()
    await client.until(4)
    assert.deepStrictEqual(client.lines.slice(2), ["B", "B"])
  })

  it("its end is told; the end of the scope leaves the daemon running", async () => {
    const path = join(newFolder(), "a.sock")
    const daemon = await startDaemon(path)
    const first = connect(path)
    await first.opened
    await Effect.runPromise(Scope.close(first.scope, Exit.void))
    assert.strictEqual(daemon.sockets.size, 0)
    const second = connect(path)
    const agent = await second.opened
    daemon.end()
    assert.deepStrictEqual(await Effect.runPromise(agent.exit), { stderr: [] })
    const late = await Effect.runPromiseExit(agent.writeLine("x"))
    assert.isTrue(Exit.isFailure(late))
  })

  it("says so when nobody answers there", async () => {
    const nobody = connect(join(newFolder(), "nobody.sock"))
    const failure = await nobody.opened.then(() => undefined, (error: unknown) => String(error))
    assert.include(failure, "its daemon does not answer")
  })

  it("is only looked for where a socket of one's own lies, links followed", async () => {
    const folder = newFolder()
    const path = join(folder, "a.sock")
    await startDaemon(path)
    symlinkSync(path, join(folder, "link"))
    writeFileSync(join(folder, "file"), "")
    const files = NativeDisk.make({ home: folder, variables: {} })
    assert.strictEqual(files.socket(join(folder, "link")), path)
    assert.isUndefined(files.socket(join(folder, "file")))
    assert.isUndefined(files.socket(join(folder, "nothing")))
  })
})
