/** Whose process is at the other end of a connection: real processes, real sockets. */
import { assert, describe, it } from "@effect/vitest"
import { type Duration, Effect } from "effect"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { chmodSync, copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { type AddressInfo, connect, createServer, type Socket } from "node:net"
import { networkInterfaces, tmpdir } from "node:os"
import { join } from "node:path"
import * as PeerProcesses from "../../../src/services/access/PeerProcesses.js"
import * as ProcessSupervisor from "../../../src/services/process/ProcessSupervisor.js"
import { start } from "../../support/realAgents.js"

const live = ProcessSupervisor.layer({ input: 100, signal: 200, linger: 100 })
const patience = 60_000

/** A server that says whose each connection is, by the name the connection gives. */
const listen = (host: string, after: Duration.Input = 0) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const processes = PeerProcesses.make()
      const told = new Map<string, string>()
      const waiting = new Map<string, (whose: string) => void>()
      const server = createServer((socket: Socket) => {
        socket.on("error", () => {})
        socket.once("data", (data) =>
          void Effect.runPromise(Effect.delay(processes.whose(socket), after)).then((whose) => {
            const name = data.toString().trim()
            told.set(name, whose)
            waiting.get(name)?.(whose)
            socket.end()
          }))
      }).listen(0, host)
      await once(server, "listening")
      const { port } = server.address() as AddressInfo
      const whose = (name: string) =>
        Effect.promise(() =>
          new Promise<string>((resolve) => {
            const known = told.get(name)
            if (known === undefined) {
              waiting.set(name, resolve)
            } else resolve(known)
          })
        )
      return { port, server, whose }
    }),
    ({ server }) =>
      Effect.sync(() =>
        server.close()
      )
  )

/** A program that connects, gives its name, and stays. */
const client = (port: number, host: string, name: string) =>
  `require("net").connect(${port}, "${host}").write("${name}\\n"); setTimeout(() => {}, 20000)`

describe("PeerProcesses", { timeout: patience }, () => {
  const node = process.execPath
  const ways: ReadonlyArray<readonly [string, (program: string) => string]> = [
    ["runs", (program) => `${node} -e '${program}'`],
    ["starts in the background", (program) => `${node} -e '${program}' & wait`],
    ["daemonizes, in a session of its own", (program) => `setsid -f ${node} -e '${program}'; sleep 20`],
    // In a file, so that no shell has to quote it.
    ["daemonizes twice, with an empty environment", (program) =>
      `cat > "$0.js" <<'END'\n${program}\nEND\n`
      + `setsid env -i /bin/sh -c '(setsid env -i ${node} "$1" &) &' sh "$0.js"; sleep 20`]
  ]

  it.live.each(ways)("knows a program that an agent %s", ([name, script]) =>
    Effect.gen(function*() {
      const { port, whose } = yield* listen("127.0.0.1")
      const folder = mkdtempSync(join(tmpdir(), "ai-relay-peers-"))
      yield* start("", { args: ["-c", script(client(port, "127.0.0.1", name)), join(folder, "program")] })
      assert.strictEqual(yield* whose(name), "agent")
    }).pipe(Effect.provide(live)))

  it.live("knows it after the agent has ended", () =>
    Effect.gen(function*() {
      const { port, whose } = yield* listen("127.0.0.1")
      const program = client(port, "127.0.0.1", "late")
      const folder = mkdtempSync(join(tmpdir(), "ai-relay-peers-"))
      yield* Effect.addFinalizer(() => Effect.sync(() => rmSync(folder, { recursive: true })))
      const agent = yield* start(
        `setsid -f env -i /bin/sh -c 'until [ -e go ]; do sleep 0.02; done; exec "$@"' sh ${node} -e '${program}'`,
        { cwd: folder }
      )
      yield* agent.exit
      writeFileSync(join(folder, "go"), "")
      assert.strictEqual(yield* whose("late"), "agent")
    }).pipe(Effect.provide(ProcessSupervisor.layer({ input: 1, signal: 1, linger: 1 }))))

  const places: ReadonlyArray<readonly [listens: string, connects: string]> = [
    ["::", "127.0.0.1"],
    ["::", "::ffff:127.0.0.1"],
    ["::", "::1"],
    ["0.0.0.0", "127.0.0.2"]
  ]
  it.live.each(places)(
    "knows it by any address of this machine: %s %s",
    ([listens, connects]) =>
      Effect.gen(function*() {
        const { port, whose } = yield* listen(listens)
        yield* start(`${node} -e '${client(port, connects, "it")}'`)
        assert.strictEqual(yield* whose("it"), "agent")
        const own = connect(port, connects)
        own.write("own\n")
        assert.strictEqual(yield* whose("own"), "other")
        own.destroy()
      }).pipe(Effect.provide(live))
  )

  const isOwn = ({ address, internal }: { readonly address: string; readonly internal: boolean }) =>
    !internal && !address.startsWith("fe80:")
  const own = Object.values(networkInterfaces()).flatMap((addresses = []) => addresses).filter(isOwn)
  it.live.each(own)(
    "knows it when it connects to localhost from another of this machine's addresses: $family",
    (
      { address, family }
    ) =>
      Effect.gen(function*() {
        const host = family === "IPv4" ? "127.0.0.1" : "::1"
        const { port, whose } = yield* listen(host)
        const ends = JSON.stringify({ port, host, localAddress: address })
        yield* start("", {
          args: [
            "-c",
            `${node} -e 'require("net").connect(${ends}).write("it"); setTimeout(() => {}, 20000)'`
          ]
        })
        assert.strictEqual(yield* whose("it"), "agent")
      }).pipe(Effect.provide(live))
  )

  it.live.each([
    ["closes the connection", "s.end(\"it\", () => process.exit())"],
    ["is killed", "s.write(\"it\", () => process.kill(process.pid, \"SIGKILL\"))"],
    ["resets the connection", "s.write(\"it\", () => s.resetAndDestroy())"]
  ])("takes nobody who has left for a client: one that %s", ([, leave]) =>
    Effect.gen(function*() {
      const { port, whose } = yield* listen("127.0.0.1", "300 millis")
      yield* start("", {
        args: [
          "-c",
          `${node} -e 'const s = require("net").connect(${port}, "127.0.0.1"); ${leave}'; sleep 20`
        ]
      })
      assert.strictEqual(yield* whose("it"), "gone")
    }).pipe(Effect.provide(live)))

  // Root reads all processes' files.
  it.live.skipIf(process.getuid?.() === 0)(
    "takes nobody for a client while an agent's program hides its files",
    () =>
      Effect.gen(function*() {
        const { port, whose } = yield* listen("127.0.0.1")
        const folder = mkdtempSync(join(tmpdir(), "ai-relay-peers-"))
        yield* Effect.addFinalizer(() => Effect.sync(() => rmSync(folder, { recursive: true })))
        const hiding = join(folder, "hiding")
        copyFileSync(node, hiding)
        chmodSync(hiding, 0o111)
        yield* start("", { args: ["-c", `${hiding} -e '${client(port, "127.0.0.1", "it")}'`] })
        assert.strictEqual(yield* whose("it"), "agent")
      }).pipe(Effect.provide(live))
  )

  it.live("takes no other program of this machine for an agent's, while agents live", () =>
    Effect.gen(function*() {
      const { port, whose } = yield* listen("127.0.0.1")
      const agent = yield* start("echo 1; sleep 20")
      yield* agent.pids(1)
      const others = yield* Effect.acquireRelease(
        Effect.sync(() =>
          ["one", "two", "three"].map((name) => spawn(node, ["-e", client(port, "127.0.0.1", name)]))
        ),
        (children) => Effect.sync(() => children.forEach((child) => child.kill("SIGKILL")))
      )
      assert.lengthOf(others, 3)
      for (const name of ["one", "two", "three"]) assert.strictEqual(yield* whose(name), "other")
    }).pipe(Effect.provide(live)))

  it.live("answers many that come at once, each for itself", () =>
    Effect.gen(function*() {
      const { port, whose } = yield* listen("127.0.0.1")
      yield* start(
        `${node} -e 'for (let n = 0; n < 50; n++) require("net").connect(${port}, "127.0.0.1").write("a" + n + "\\n");`
          + ` setTimeout(() => {}, 20000)'`
      )
      const own = Array.from({ length: 50 }, (_, n) => {
        const socket = connect(port, "127.0.0.1")
        socket.write(`o${n}\n`)
        return socket
      })
      for (let n = 0; n < 50; n++) {
        assert.strictEqual(yield* whose(`a${n}`), "agent")
        assert.strictEqual(yield* whose(`o${n}`), "other")
      }
      own.forEach((socket) => socket.destroy())
    }).pipe(Effect.provide(live)))
})

describe("keysOf", () => {
  it("spells addresses as the system's tables do", () => {
    const ends = { remotePort: 0x1234, localPort: 80 }
    assert.deepStrictEqual(
      PeerProcesses.keysOf({ ...ends, remoteAddress: "::ffff:127.0.0.1", localAddress: "::ffff:127.0.0.1" }),
      [
        "0100007F:1234 0100007F:0050 ",
        "0000000000000000FFFF00000100007F:1234 0000000000000000FFFF00000100007F:0050 "
      ]
    )
    assert.deepStrictEqual(
      PeerProcesses.keysOf({ ...ends, remoteAddress: "::1", localAddress: "2001:db8::ff00:42:8329" }),
      ["00000000000000000000000001000000:1234 B80D01200000000000FF000029834200:0050 "]
    )
  })
})
