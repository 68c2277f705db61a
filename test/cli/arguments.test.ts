/** What is said of arguments and settings that do not fit: one line, with what to do. */
import { afterEach, assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { homedir } from "node:os"
import { join } from "node:path"
import { commandLine } from "../support/commandLine.js"

/** What the program prints for these arguments, and its exit code. */
const said = (...args: ReadonlyArray<string>) => Effect.map(commandLine(...args), ({ lines }) => lines)

describe("arguments", () => {
  afterEach(() => {
    process.exitCode = undefined
  })

  it.effect.each(
    [
      [["--nope"], "there is no flag --nope"],
      [["--prot", "99"], "there is no flag --prot; did you mean --root or --port? See ai-relay --help"],
      [
        ["run", "--tol", "claude", "hi"],
        "there is no flag --tol for run; did you mean --tool? See ai-relay run --help"
      ],
      [["run", "-x", "hi"], "there is no flag -x for run"],
      [["serv"], "there is no command \"serv\""],
      [["--port"], "--port needs a value (a number)"],
      [["--port", ""], "--port needs a value (a number)"],
      [["--host", ""], "--host needs a value (ADDRESS)"],
      [["--root", " "], "--root"],
      [["--auth"], "--auth needs a value (remote or always)"],
      [["--drivers", "two"], "--drivers cannot be \"two\"; it must be many or one"],
      [["search", "--limit", "0", "hi"], "--limit cannot be \"0\"; it must be a number from 1 to 100"],
      [["policy", "test"], "the argument RULES is missing. See ai-relay policy --help"],
      [["--port", "0", "serve"], "write --port after the command, as in ai-relay serve --port"],
      [["serve", "--nope"], "there is no flag --nope for serve"],
      [["--port", "1", "--port", "2"], "--port is given 2 times: leave all but one out"],
      [["serve", "now"], "there is no place for the argument \"now\""],
      [["--permission-timeout", "0"], "it must be a number from 1 on"],
      [["--linger", "-5"], "--linger cannot be \"-5\"; it must be a number from 0 on"],
      [["--budget-warn-pct", "200"], "it must be a number from 0 to 100"],
      [
        ["--budget", "day=5"],
        "--budget cannot be \"day=5\"; it must be SCOPE.UNIT=NUMBER, such as day.cost_usd=20"
      ],
      [["--prices", "/no/such/file"], "it must be a file that can be read"],
      [["--allow-origin", "app.example.com"], "it must be an origin as browsers send it"],
      [["--allow-origin", "https://app.example.com/"], "without a path"],
      [["--allow-host", "relay.example.com:443"], "it must be a hostname without a scheme or port"],
      [["--cortex-host", "https://proxy.example.com"], "it must be a host without a scheme"],
      [["--notify-link", "relay"], "it must be an address, such as https://relay.example.com"],
      [["--pass-env", "A B"], "it must be the name of a variable"],
      [["--port", "abc"], "--port cannot be \"abc\"; it must be a number"],
      [["--port", "99999"], "--port cannot be \"99999\"; it must be a number from 0 to 65535"],
      [["serve", "--port", "-1"], "--port"],
      [["--log-level", "loud"], "it must be debug, info, warning, error or none"],
      [["--fronts", "chat,phone"], "\"phone\"; it must be some of acp, chat, agui, mcp, or none"]
    ] as const
  )("%j: one line that names what is wrong, and where help is", ([args, words]) =>
    Effect.gen(function*() {
      const lines = yield* said(...args)
      assert.lengthOf(lines, 1)
      assert.match(lines[0] ?? "", /^ai-relay: .*See ai-relay (?:\w+ )?--help$/)
      assert.include(lines[0], words)
      assert.strictEqual(process.exitCode, 1)
    }))

  it.effect.each([["token"], ["service"]])(
    "%j alone: a subcommand is missing, and where they are listed",
    (args) =>
      Effect.gen(function*() {
        const lines = yield* said(...args)
        assert.deepStrictEqual(lines, [
          `ai-relay: missing subcommand: ai-relay ${args[0]} --help lists them`
        ])
        assert.strictEqual(process.exitCode, 1)
      })
  )

  it.effect.each([["--wizard"], ["serve", "--port", "0", "--wizard"], ["--completions", "bash"], [
    "run",
    "--completions=zsh"
  ]])(
    "%j: a flag of the parser's own is none of ours",
    (args) =>
      Effect.gen(function*() {
        assert.match(
          (yield* said(...args)).join("\n"),
          /^ai-relay: there is no --(wizard|completions): ai-relay --help lists/
        )
      })
  )

  it.effect.each([[[]], [["--at", "2030-01-01T09:00", "--every", "0 9 * * *"]]] as const)(
    "a schedule has one time: %j",
    ([when]) =>
      Effect.gen(function*() {
        assert.include((yield* said("schedule", "add", "s", "p", ...when))[0], "either --at TIME")
      })
  )

  it.effect("an address without a scheme: with which it would be one", () =>
    Effect.gen(function*() {
      const lines = yield* said("search", "--url", "localhost:23002", "hi")
      assert.deepStrictEqual(lines, [
        "ai-relay: --url localhost:23002 has no scheme: write ws://localhost:23002, or wss://localhost:23002 with TLS"
      ])
    }))

  it.effect.each(
    [
      ["AI_RELAY_PORT", "abc", "it must be a number"],
      ["AI_RELAY_LOG_LEVEL", "loud", "it must be debug, info, warning, error or none"],
      ["AI_RELAY_NO_AUTH", "perhaps", "true"]
    ] as const
  )("names the variable that does not fit: %s", ([name, value, expected]) =>
    Effect.gen(function*() {
      process.env[name] = value
      const lines = yield* Effect.ensuring(
        said("--no-state"),
        Effect.sync(() => Reflect.deleteProperty(process.env, name))
      )
      assert.lengthOf(lines, 1)
      assert.include(lines[0], `${name}, or`)
      assert.include(lines[0], expected)
      assert.notInclude(lines[0], "SchemaError")
    }))

  it.effect("read ~ in a variable, and behind =, as a shell would", () =>
    Effect.gen(function*() {
      const [flag] = yield* said("--no-state", "--acp-registry=~/no-such-file.json")
      assert.include(flag, join(homedir(), "no-such-file.json"))
      process.env["AI_RELAY_ACP_REGISTRY"] = "~/no-such-file.json"
      const [variable] = yield* Effect.ensuring(
        said("--no-state"),
        Effect.sync(() => Reflect.deleteProperty(process.env, "AI_RELAY_ACP_REGISTRY"))
      )
      assert.include(variable, join(homedir(), "no-such-file.json"))
    }))

  it.effect.each(["--version", "-v", "version"])("%s is the version alone", (word) =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* said(word), ["development"])
    }))
})

describe("help", () => {
  it.effect("of a command is its own, however it is asked for", () =>
    Effect.gen(function*() {
      const [run] = yield* said("help", "run")
      assert.match(run ?? "", /^ai-relay run: /)
      assert.include(run, "Exit code: 0 end_turn")
      assert.deepStrictEqual(yield* said("run", "--help"), [run])
      assert.deepStrictEqual(yield* said("run", "--tool", "claude", "-h"), [run])
      assert.include((yield* said("help", "nothing"))[0], "there is no command \"nothing\"")
    }))

  it.effect("names every command, and every flag once, in groups", () =>
    Effect.gen(function*() {
      const [all = ""] = yield* said("--help")
      assert.deepStrictEqual(yield* said("help"), [all])
      for (
        const command of [
          "serve",
          "lab",
          "doctor",
          "sessions",
          "search",
          "run",
          "attach",
          "handoff",
          "acp",
          "token"
        ]
      ) {
        assert.match(all, new RegExp(`^  ${command} `, "m"))
      }
      const flags = [...all.matchAll(/^  (--[a-z-]+)/gm)].map(([, flag]) => flag)
      assert.strictEqual(new Set(flags).size, flags.length)
      assert.includeMembers(flags, ["--port", "--token", "--state-dir", "--help"])
      for (const group of ["Network", "Access", "Agents and folders", "Sessions", "Budgets", "Other"]) {
        assert.match(all, new RegExp(`^${group}$`, "m"))
      }
    }))
})
