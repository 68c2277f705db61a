import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Layer, Schema } from "effect"
import { TestClock } from "effect/testing"
import * as fc from "fast-check"
import {
  type AgentExit,
  type AgentSpec,
  EventSink,
  type LaunchSpec,
  PermissionGate,
  type TerminalSize,
  TerminalSpawner
} from "../../../src/adapters/Adapter.js"
import { AdapterRegistry } from "../../../src/adapters/AdapterRegistry.js"
import { generic } from "../../../src/adapters/generic/descriptor.js"
import type { AllowedPrograms } from "../../../src/adapters/generic/GenericLaunch.js"
import { lazily } from "../../../src/adapters/lazily.js"
import { Handshake } from "../../../src/schema/index.js"
import { adapterSettings, layerDeadPorts } from "../../support/deadPorts.js"
import * as TestSink from "../../support/testSink.js"

/** A terminal that prints what a test says, and remembers what was typed. */
const makeTerminal = () => {
  const typed: Array<string> = []
  const launches: Array<{ readonly launch: LaunchSpec; readonly size: TerminalSize }> = []
  const sizes: Array<TerminalSize> = []
  const exited = Effect.runSync(Deferred.make<AgentExit>())
  let print: (bytes: Buffer) => void = () => {}
  const layer = Layer.succeed(TerminalSpawner, {
    spawn: (launch, size, onOutput) =>
      Effect.sync(() => {
        launches.push({ launch, size })
        print = onOutput
        return {
          pid: 1,
          write: (data) => Effect.sync(() => void typed.push(data)),
          interrupt: Effect.sync(() => void typed.push("\x03")),
          resize: (size) => Effect.sync(() => void sizes.push(size)),
          exit: Deferred.await(exited)
        }
      })
  })
  return { layer, typed, launches, sizes, exited, print: (bytes: Buffer) => print(bytes) }
}

const openWith = Effect.fnUntraced(function*(
  { tool = "generic", ...handshake }: { readonly tool?: string; readonly [field: string]: unknown },
  allow_programs: AllowedPrograms = []
) {
  const terminal = makeTerminal()
  const sink = TestSink.make()
  const spec: AgentSpec = {
    ...Schema.decodeUnknownSync(Handshake)({ command: ["sh"], ...handshake }),
    tool,
    folder: "/workspace",
    fresh_uuid: "00000000-0000-4000-8000-0000000000ff"
  }
  const registry = AdapterRegistry.layer(
    Effect.all([lazily(generic, { ...adapterSettings, allow_programs })])
  ).pipe(Layer.provide(terminal.layer), Layer.provide(layerDeadPorts))
  const session = yield* AdapterRegistry.pipe(
    Effect.flatMap((adapters) => adapters.get(spec.tool)),
    Effect.flatMap((adapter) => adapter.open(spec)),
    Effect.provide(registry),
    Effect.provideService(EventSink, sink.service),
    Effect.provideService(PermissionGate, { request: () => Effect.never, withdraw: () => {} })
  )
  const texts = () => sink.events.flatMap((event) => event.type === "stdout" ? [event.text] : [])
  return { ...terminal, ...session, sink, texts }
})

/** No character in it is half. */
const isWhole = (text: string) => !/\p{Surrogate}/u.test(text)

/** Cut into pieces of these lengths, again and again. */
const cutBy = (bytes: Buffer, lengths: ReadonlyArray<number>): ReadonlyArray<Buffer> => {
  const pieces: Array<Buffer> = []
  for (let at = 0, n = 0; at < bytes.length; n += 1) {
    const length = lengths[n % lengths.length] ?? 1
    pieces.push(bytes.subarray(at, at + length))
    at += length
  }
  return pieces
}
const lengths = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 6 })

describe("what a terminal's program is", () => {
  const launchOf = (handshake: Record<string, unknown>, allowed?: AllowedPrograms) =>
    Effect.map(openWith(handshake, allowed), ({ launches }) => launches[0])
  const failureOf = (handshake: Record<string, unknown>, allowed?: AllowedPrograms) =>
    Effect.map(Effect.flip(openWith(handshake, allowed)), ({ _tag, message }) => `${_tag}: ${message}`)

  it.effect("`command`, a name or a list, with `extra_args` at the end", () =>
    Effect.gen(function*() {
      const { launch, size } = (yield* launchOf({ command: ["bash", "-l"], extra_args: ["-i"] }))!
      assert.deepInclude(launch, { command: "bash", args: ["-l", "-i"], cwd: "/workspace" })
      assert.deepStrictEqual(size, { cols: 120, rows: 30 })
      const named = yield* launchOf({ command: "bash", pty: { cols: 80, rows: 24 } })
      assert.deepInclude(named?.launch, { command: "bash", args: [] })
      assert.deepStrictEqual(named?.size, { cols: 80, rows: 24 })
    }))

  it.effect("told that its terminal is an xterm, unless the client knows better", () =>
    Effect.gen(function*() {
      const env = { TERM: "xterm-256color", COLORTERM: "truecolor" }
      assert.deepStrictEqual((yield* launchOf({}))?.launch.clientEnv, env)
      const known = yield* launchOf({ env: { TERM: "vt100", A: "b" } })
      assert.deepStrictEqual(known?.launch.clientEnv, { ...env, TERM: "vt100", A: "b" })
    }))

  it.effect("never a `tool`, unless the relay allows the program by name", () =>
    Effect.gen(function*() {
      assert.match(yield* failureOf({ tool: "bash", command: null }), /^UnknownTool: .*"bash"/)
      const program = { tool: "bash", command: null, extra_args: ["-l"] }
      for (const allowed of [["bash"], ["*"]]) {
        assert.deepInclude((yield* launchOf(program, allowed))?.launch, { command: "bash", args: ["-l"] })
      }
      assert.match(yield* failureOf(program, ["vi"]), /^UnknownTool/)
      assert.match(yield* failureOf({ tool: "/bin/sh", command: null }, ["*"]), /^UnknownTool/)
      assert.match(yield* failureOf({ tool: "bash", command: ["vi"] }, ["*"]), /^BadHandshake: .*extra_args/)
    }))

  it.effect("only one of those the relay allows, if it names some", () =>
    Effect.gen(function*() {
      assert.deepInclude((yield* launchOf({ command: ["vi", "a"] }, ["vi"]))?.launch, { command: "vi" })
      for (const command of [["bash"], ["./vi"], ["/tmp/vi"]]) {
        assert.match(yield* failureOf({ command }, ["vi"]), /^BadHandshake: .*--allow-program/)
      }
    }))

  it.effect("asked for when the handshake does not say", () =>
    Effect.gen(function*() {
      assert.match(yield* failureOf({ command: null }), /^BadHandshake: .*`command`/)
      assert.match(yield* failureOf({ command: ["sh", "a\0b"] }), /^BadHandshake: .*NUL/)
    }))
})

describe("what a terminal prints", () => {
  const printed = Buffer.from("\x1b[1mgrün 🙂\x1b[0m\r\n\x1b]0;a title\x07日本\x1b[K\r\n")

  it.effect("comes as text without escape codes, no character cut, wherever it is read in pieces", () =>
    Effect.promise(() =>
      fc.assert(fc.asyncProperty(lengths, (cut) =>
        Effect.runPromise(Effect.scoped(Effect.gen(function*() {
          const { print, texts } = yield* openWith({})
          cutBy(printed, cut).forEach(print)
          assert.strictEqual(texts().join(""), "grün 🙂\r\n日本\r\n")
          assert.isTrue(texts().every((text) => text !== "" && isWhole(text)))
        })))))
    ))

  it.effect("comes untouched for a terminal emulator, no character cut", () =>
    Effect.promise(() =>
      fc.assert(fc.asyncProperty(lengths, (cut) =>
        Effect.runPromise(Effect.scoped(Effect.gen(function*() {
          const { print, texts } = yield* openWith({ pty: { raw: true } })
          cutBy(printed, cut).forEach(print)
          assert.strictEqual(texts().join(""), printed.toString())
          assert.isTrue(texts().every(isWhole))
        })))))
    ))

  it.effect("is told before its exit, up to a character that was never finished", () =>
    Effect.gen(function*() {
      const { exit, exited, print, texts } = yield* openWith({})
      print(Buffer.from("last é").subarray(0, -1))
      yield* Deferred.succeed(exited, { exit_code: 1, stderr: [] })
      assert.deepStrictEqual(yield* exit, { exit_code: 1, stderr: [] })
      assert.strictEqual(texts().join(""), "last \uFFFD")
    }))
})

describe("what reaches a terminal", () => {
  const uuid = "00000000-0000-4000-8000-000000000001"
  const prompt = (text: string) =>
    ({ type: "user_message", content: [{ type: "text", text }], uuid }) as const

  it.effect("prompts with Enter, keys as they are, Ctrl-C for an interrupt", () =>
    Effect.gen(function*() {
      const { send, typed } = yield* openWith({})
      const prompting = yield* Effect.forkChild(send(prompt("ls")))
      yield* TestClock.adjust("149 millis")
      assert.deepStrictEqual(typed, ["ls"])
      yield* TestClock.adjust("1 millis")
      yield* Fiber.join(prompting)
      yield* send({ type: "stdin", data: "\x1b[A" })
      yield* send({ type: "interrupt" })
      assert.deepStrictEqual(typed, ["ls", "\r", "\x1b[A", "\x03"])
    }))

  it.effect("several lines as one paste, while the program wants it so", () =>
    Effect.gen(function*() {
      const { print, send, typed } = yield* openWith({ pty: { raw: true } })
      const enter = Effect.gen(function*() {
        const prompting = yield* Effect.forkChild(send(prompt("a\nb")))
        yield* TestClock.adjust("150 millis")
        yield* Fiber.join(prompting)
      })
      yield* enter
      print(Buffer.from("\x1b[?2004h"))
      const pasting = yield* Effect.forkChild(enter)
      yield* TestClock.adjust("3 seconds")
      yield* Fiber.join(pasting)
      print(Buffer.from("\x1b[?2004l"))
      yield* enter
      assert.deepStrictEqual(typed, ["a\rb", "\r", "\x1b[200~a\rb\x1b[201~", "\r", "a\rb", "\r"])
    }))

  it.effect("Enter once what was pasted is drawn, and nothing more for a moment", () =>
    Effect.gen(function*() {
      const { print, send, typed } = yield* openWith({ pty: { raw: true } })
      print(Buffer.from("\x1b[?2004h"))
      const prompting = yield* Effect.forkChild(send(prompt("a")))
      for (let drawn = 0; drawn < 4; drawn++) {
        yield* TestClock.adjust("140 millis")
        print(Buffer.from("a"))
      }
      yield* TestClock.adjust("149 millis")
      assert.deepStrictEqual(typed, ["\x1b[200~a\x1b[201~"])
      yield* TestClock.adjust("1 millis")
      yield* Fiber.join(prompting)
      assert.deepStrictEqual(typed, ["\x1b[200~a\x1b[201~", "\r"])
    }))

  it.effect("Enter also to a program that draws nothing, or all the time", () =>
    Effect.gen(function*() {
      const { print, send, typed } = yield* openWith({ pty: { raw: true } })
      print(Buffer.from("\x1b[?2004h"))
      const silent = yield* Effect.forkChild(send(prompt("a")))
      yield* TestClock.adjust("2150 millis")
      yield* Fiber.join(silent)
      assert.lengthOf(typed, 2)
      const restless = yield* Effect.forkChild(send(prompt("b")))
      for (let drawn = 0; drawn < 31; drawn++) {
        yield* TestClock.adjust("100 millis")
        print(Buffer.from("|"))
      }
      yield* Fiber.join(restless)
      assert.lengthOf(typed, 4)
    }))

  it.effect("its size, which others who watch are told, now and when they attach", () =>
    Effect.gen(function*() {
      const { send, sink, sizes, started } = yield* openWith({})
      assert.deepStrictEqual(started.metadata, { pty: { cols: 120, rows: 30, raw: false } })
      yield* send({ type: "resize", cols: 90, rows: 40 })
      assert.deepStrictEqual(sizes, [{ cols: 90, rows: 40 }])
      assert.deepStrictEqual(started.metadata, { pty: { cols: 90, rows: 40, raw: false } })
      assert.deepStrictEqual(sink.events, [
        { type: "status", status: "resized", metadata: { cols: 90, rows: 40 } }
      ])
    }))

  it.effect("nothing of an agent's protocol", () =>
    Effect.gen(function*() {
      const { send } = yield* openWith({})
      const refused = yield* Effect.flip(send({ type: "set_model", model: "m" }))
      assert.strictEqual(refused._tag, "CommandRefused")
    }))
})
