import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, FileSystem, Layer, Path } from "effect"
import { TestClock } from "effect/testing"
import { ProcessSpawner } from "../../../src/adapters/Adapter.js"
import { AgentFailed, CommandNotFound } from "../../../src/adapters/AdapterError.js"
import type { AgentFacts } from "../../../src/adapters/AgentDescriptor.js"
import { knownAgents } from "../../../src/adapters/agents.js"
import { testedVersions } from "../../../src/adapters/testedVersions.js"
import { probe, works } from "../../../src/services/agents/AgentProbe.js"

/** What a program does, by its arguments; a program that is not named is missing. */
type Programs = Readonly<
  Record<string, "broken" | ((args: string) => { text?: string; exit_code: number } | "hangs")>
>

const machine = (programs: Programs, files: ReadonlyArray<string> = []) =>
  Layer.mergeAll(
    Path.layer,
    FileSystem.layerNoop({ exists: (path) => Effect.succeed(files.some((file) => path.endsWith(file))) }),
    Layer.succeed(ProcessSpawner, {
      spawn: ({ advice, args, command, tool }, onLine) =>
        Effect.gen(function*() {
          const program = programs[command]
          if (program === undefined) return yield* new CommandNotFound({ command, advice })
          if (program === "broken") return yield* new AgentFailed({ tool, reason: "it does not start" })
          const answer = program(args.join(" "))
          if (answer !== "hangs" && answer.text !== undefined) onLine(Buffer.from(answer.text))
          return {
            pid: 1,
            writeLine: () => Effect.void,
            endInput: Effect.void,
            exit: answer === "hangs" ? Effect.never : Effect.succeed({ ...answer, stderr: [] })
          }
        })
    })
  )

const agent: AgentFacts = {
  tool: "agent",
  name: "Agent",
  command: "agent",
  install: "npm install -g agent",
  login: "agent login",
  signs: { args: ["login", "status"] }
}
const loggedIn = (exit_code: number) => (args: string) =>
  args === "--version" ? { text: "agent-cli 1.2.4-beta.1 (build 7)", exit_code: 0 } : { exit_code }

const find = (programs: Programs, known: AgentFacts = agent, files?: ReadonlyArray<string>) =>
  Effect.provide(probe(known), machine(programs, files))

describe("AgentProbe", () => {
  it.effect("tells the version and the login of a program that is there", () =>
    Effect.gen(function*() {
      const finding = yield* find({ agent: loggedIn(0) })
      assert.deepStrictEqual(finding, {
        tool: "agent",
        name: "Agent",
        installed: true,
        version: "1.2.4-beta.1",
        logged_in: true
      })
      assert.isTrue(works(finding))
    }))

  it.effect("says of a version whether it was tested, and what trouble it is known for", () =>
    Effect.gen(function*() {
      const newest = testedVersions["claude"]?.[0]?.version ?? ""
      const found = (version: string) =>
        find({ agent: () => ({ text: version, exit_code: 0 }) }, { ...agent, tool: "claude" })
      assert.deepInclude(yield* found(newest), {
        compatibility: "tested",
        tested: newest
      })
      assert.deepInclude(yield* found("9999.0.0"), {
        compatibility: `newer than tested (${newest})`
      })
      for (const [tool, versions] of Object.entries(testedVersions)) {
        for (const { trouble, version } of versions) {
          const finding = yield* find({ agent: () => ({ text: version, exit_code: 0 }) }, { ...agent, tool })
          assert.strictEqual(finding.compatibility, "tested", `${tool} ${version}`)
          assert.deepStrictEqual(finding.trouble ?? [], trouble)
        }
      }
    }))

  it.effect("says what to run when a login is missing, and when the program is", () =>
    Effect.gen(function*() {
      const loggedOut = yield* find({ agent: loggedIn(1) })
      assert.deepInclude(loggedOut, { installed: true, logged_in: false, advice: "agent login" })
      assert.isFalse(works(loggedOut))
      const missing = yield* find({})
      assert.deepInclude(missing, { installed: false, advice: "npm install -g agent" })
      assert.isFalse(works(missing))
    }))

  it.effect("leaves open what it cannot find out: a program that hangs, one that does not start", () =>
    Effect.gen(function*() {
      const fiber = yield* Effect.forkChild(find({ agent: () => "hangs" }))
      yield* TestClock.adjust("5 seconds")
      yield* TestClock.adjust("5 seconds")
      for (const finding of [yield* Fiber.join(fiber), yield* find({ agent: "broken" })]) {
        assert.deepInclude(finding, { installed: true, advice: "agent login" })
        assert.notProperty(finding, "version")
        assert.notProperty(finding, "logged_in")
        assert.isTrue(works(finding))
      }
    }))

  it.effect("takes a key in the environment, or a file, for a login", () =>
    Effect.gen(function*() {
      const signs = { variables: ["TEST_AGENT_KEY"], files: { paths: [".agent/login.json"] } }
      const known = { ...agent, signs }
      const programs = { agent: loggedIn(1) }
      assert.isFalse((yield* find(programs, known)).logged_in)
      assert.isTrue((yield* find(programs, known, [".agent/login.json"])).logged_in)
      process.env["TEST_AGENT_KEY"] = "secret"
      const finding = yield* find(programs, known)
      delete process.env["TEST_AGENT_KEY"]
      assert.isTrue(finding.logged_in)
      assert.notInclude(JSON.stringify(finding), "secret")
    }))

  it.effect("needs no program for what is reached over the network", () =>
    Effect.gen(function*() {
      const { command: _, ...service } = { ...agent, signs: { variables: ["TEST_AGENT_KEY"] } }
      assert.deepInclude(yield* find({}, service), {
        installed: true,
        logged_in: false,
        advice: "agent login"
      })
    }))
})

describe("knownAgents", () => {
  it("names each agent once, and says what to do about it", () => {
    const names = knownAgents.map(({ tool }) => tool)
    assert.strictEqual(new Set(names).size, names.length)
    assert.includeMembers(names, ["claude", "codex", "gemini", "cortex", "goose"])
    for (const { command, install, login } of knownAgents) {
      assert.isTrue(command === undefined || install !== "")
      assert.notStrictEqual(login, "")
    }
  })
})
