/** The built program as its user runs it: its token, its signals, and what its agents see of it. */
import { assert, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { beforeAll } from "vitest"
import { WebSocket } from "ws"
import { cleanUpAfterEach } from "../support/cleanUp.js"
import { type Client, connect } from "../support/client.js"
import { buildDaemon, type Daemon, startDaemon } from "../support/daemon.js"
import { installFakeClaude } from "../support/fakeClaude.js"
import { running, until } from "../support/processes.js"

const patience = 120_000
const dist = fileURLToPath(new URL("../../dist", import.meta.url))

beforeAll(() => void buildDaemon(), patience)

const cleanUp = cleanUpAfterEach(patience)

/** A home, and relays that are started in it. */
const settle = () => {
  const home = realpathSync(mkdtempSync(join(tmpdir(), "ai-relay-serve-")))
  cleanUp(() => rmSync(home, { recursive: true, force: true, maxRetries: 5 }))
  const state = join(home, "state")
  const env = installFakeClaude(home)
  const start = async (
    more: Record<string, string> = {},
    ...args: ReadonlyArray<string>
  ): Promise<Daemon> => {
    const daemon = await startDaemon({
      env: { ...env, ...more },
      cwd: home,
      args: ["--state-dir", state, "--log-level", "warning", ...args]
    })
    cleanUp(() => daemon.kill())
    return daemon
  }
  return { env, home, state, start }
}

const open = async (
  daemon: Daemon,
  handshake: object,
  headers: Record<string, string> = {}
): Promise<Client> => {
  const client = await connect(daemon.url, handshake, { headers })
  cleanUp(() => client.drop())
  return client
}

/** What a peer of another machine is answered: a proxy speaks for it. */
const fromElsewhere = { "X-Forwarded-For": "192.0.2.1" }

describe("a relay whose program was updated while it ran", () => {
  it("says so when it is started in a folder that is gone", () => {
    const { env, home } = settle()
    const { status, stderr } = spawnSync(
      "sh",
      [
        "-c",
        `mkdir gone; cd gone; rmdir ../gone; exec "$0" "$1" --help`,
        process.execPath,
        join(dist, "cli.mjs")
      ],
      { cwd: home, env, encoding: "utf8" }
    )
    assert.strictEqual(status, 1)
    assert.match(stderr, /^ai-relay: the current folder does not exist any more: .*\n$/)
  }, patience)

  it("says everywhere that it has to be restarted", async () => {
    const { env, home } = settle()
    const program = join(home, "program")
    mkdirSync(program)
    const parts = readdirSync(dist).filter((name) => /^cli.*js$/.test(name))
    for (const name of parts) copyFileSync(join(dist, name), join(program, name))
    const args = ["--no-state", "--log-level", "warning"]
    const daemon = await startDaemon({ program: join(program, "cli.mjs"), cwd: home, env, args })
    cleanUp(() => daemon.kill())
    for (const name of parts) rmSync(join(program, name))
    const restart = /program was updated or removed while it was running: restart the relay/
    const told = await open(daemon, { tool: "claude" })
    const error = await told.waitFor("error")
    assert.strictEqual(error["code"], "internal")
    assert.match(String(error["text"]), restart)
    const answer = await fetch(new URL("/openapi.json", daemon.url.replace("ws", "http")))
    assert.strictEqual(answer.status, 500)
    assert.match(await answer.text(), restart)
    const editor = new WebSocket(new URL("/acp", daemon.url))
    const [code, reason] = await new Promise<readonly [number, string]>((resolve) =>
      editor.once("close", (number, why) => resolve([number, why.toString()]))
    )
    assert.strictEqual(code, 1011)
    assert.match(reason, restart)
    // The log says of each what it could not find.
    assert.lengthOf(daemon.output().match(/Cannot find module '\.\/cli-/g) ?? [], 3)
    assert.strictEqual(await daemon.stop(), 0)
  }, patience)
})

describe("ai-relay lab", () => {
  it("logs as it is told, and keeps apart what users of one session's name did", async () => {
    const { env, home } = settle()
    const records = join(home, "records")
    const daemon = await startDaemon({
      command: "lab",
      cwd: home,
      env: {
        ...env,
        LAB_USER_HEADER: "x-user",
        LAB_TRUSTED_PROXIES: "127.0.0.1",
        LAB_WORKSPACE_ROOT: join(home, "workspaces")
      },
      args: ["--log-format", "json", "--record", records]
    })
    cleanUp(() => daemon.kill())
    const users = ["ada", "grace"]
    for (const user of users) {
      const client = await open(daemon, { tool: "claude", session_id: "same" }, { "x-user": user })
      await client.waitFor("session_start", { within: patience })
    }
    const files = readdirSync(records, { recursive: true, encoding: "utf8" }).filter((name) =>
      name.endsWith("same.ndjson")
    )
    assert.lengthOf(files, 2)
    for (const user of users) assert.isTrue(files.some((name) => name.includes(user)), user)
    await until(() => daemon.output().split("\n").some((line) => line.startsWith("{\"message\":")), patience)
    const logged = daemon.output().split("\n").slice(1).filter((line) => line !== "")
    for (const line of logged) assert.property(JSON.parse(line), "logLevel")
  }, patience)
})

describe("ai-relay", () => {
  it(
    "makes its token at the first start, shows it once in a URL's fragment, and lets others in with it",
    async () => {
      const { start, state } = settle()
      const first = await start()
      await until(() => first.output().includes("#token="), patience)
      const token = readFileSync(join(state, "token"), "utf8").trim()
      assert.match(first.output(), new RegExp(`http://127\\.0\\.0\\.1:\\d+/#token=${token}\n`))
      assert.strictEqual(statSync(join(state, "token")).mode & 0o777, 0o600)
      const stranger = await open(first, { tool: "claude" }, fromElsewhere)
      assert.strictEqual(await stranger.closed, 1008)
      const guest = await open(first, { tool: "claude", token }, fromElsewhere)
      await guest.waitFor("session_start")
      assert.strictEqual(await first.stop(), 0)

      const second = await start()
      await until(() => second.output().includes("token"), patience)
      assert.notInclude(second.output(), token)
      assert.include(second.output(), join(state, "token"))
      await (await open(second, { tool: "claude", token }, fromElsewhere)).waitFor("session_start")
    },
    patience
  )

  it("says in one line what --no-auth means", async () => {
    const { start } = settle()
    const daemon = await start({}, "--no-auth")
    await until(() => daemon.output().includes("--no-auth"), patience)
    assert.include(
      daemon.output(),
      "--no-auth: anyone who can reach this port can run any program as this user\n"
    )
    await (await open(daemon, { tool: "claude" }, fromElsewhere)).waitFor("session_start")
  }, patience)

  it("lets a turn end when it is told to stop, and exits with 0", async () => {
    const { start } = settle()
    const daemon = await start({}, "--drain", "60")
    const client = await open(daemon, { tool: "claude", session_id: "s" })
    await client.waitFor("session_start")
    client.send({ text: "SLOW 20 50" })
    await client.waitFor("stream_event", { within: patience })
    const stopped = daemon.stop()
    await client.waitFor(({ status }) => status === "draining")
    assert.strictEqual((await client.waitFor("turn_end", { within: patience }))["stop_reason"], "end_turn")
    assert.strictEqual(await client.closed, 1000)
    assert.strictEqual(client.events.at(-1)?.type, "session_end")
    assert.strictEqual(await stopped, 0)
  }, patience)

  it("hurries on a second signal: the turn is stopped, told so, and it still exits with 0", async () => {
    const { home, start } = settle()
    const daemon = await start({}, "--drain", "600")
    const client = await open(daemon, { tool: "claude", session_id: "s" })
    await client.waitFor("session_start")
    client.send({ text: "SLOW 100000 50" })
    await client.waitFor("stream_event", { within: patience })
    const stopped = daemon.stop()
    await client.waitFor(({ status }) => status === "draining")
    assert.lengthOf(running(join(home, "bin", "claude")), 1)
    process.kill(daemon.pid, "SIGTERM")
    assert.strictEqual(await stopped, 0)
    assert.strictEqual((await client.waitFor("turn_end"))["stop_reason"], "cancelled")
    await client.waitFor("session_end")
    assert.isEmpty(running(join(home, "bin", "claude")))
  }, patience)
})

describe("a terminal that is closed", () => {
  it("ends the relay in good order", async () => {
    const { start } = settle()
    const daemon = await start({}, "--drain", "60")
    const client = await open(daemon, { tool: "claude", session_id: "s" })
    await client.waitFor("session_start")
    client.send({ text: "SLOW 20 50" })
    await client.waitFor("stream_event", { within: patience })
    process.kill(daemon.pid, "SIGHUP")
    assert.strictEqual((await client.waitFor("turn_end", { within: patience }))["stop_reason"], "end_turn")
    assert.strictEqual(await client.closed, 1000)
  }, patience)

  it("does not end one that was started with nohup", async () => {
    const { start } = settle()
    const daemon = await start({ _: "/usr/bin/nohup" })
    process.kill(daemon.pid, "SIGHUP")
    const client = await open(daemon, { tool: "claude" })
    await client.waitFor("session_start")
  }, patience)
})

describe("a reader of the relay's output that goes away", () => {
  it("takes no session with it", async () => {
    const { env, home, state } = settle()
    const args = ["--state-dir", state, "--log-level", "debug"]
    const daemon = await startDaemon({ env, cwd: home, args })
    cleanUp(() => daemon.kill())
    daemon.unread()
    for (const session_id of ["one", "two"]) {
      const client = await open(daemon, { tool: "claude", session_id })
      await client.waitFor("session_start")
      client.send({ text: "hello" })
      await client.waitFor("turn_end", { within: patience })
    }
    assert.strictEqual(await daemon.stop(), 0)
  }, patience)
})

describe("a user without a home", () => {
  it("gets a folder to work with, and one line that says so", async () => {
    const { home } = settle()
    const env = { HOME: "", PATH: process.env["PATH"] ?? "" }
    const daemon = await startDaemon({ env, cwd: home, args: ["--no-state"] })
    cleanUp(() => daemon.kill())
    assert.notInclude(daemon.output(), "    at ")
    const client = await open(daemon, { tool: "generic", command: ["sh", "-c", "echo \"home=$HOME.\""] })
    await client.waitFor("session_end", { within: patience })
    assert.match(client.events.map(({ text }) => text ?? "").join(""), /home=\/\S+\./)
  }, patience)
})

describe("a signal from an agent", () => {
  it("opens no inspector, through which anybody could run code in the relay", async () => {
    const { start } = settle()
    const daemon = await start()
    process.kill(daemon.pid, "SIGUSR1")
    const client = await open(daemon, {
      tool: "generic",
      command: ["sh", "-c", "kill -USR1 $PPID; echo sent"]
    })
    await client.waitFor("session_end", { within: patience })
    assert.notInclude(daemon.output(), "Debugger listening")
  }, patience)
})

describe("variable exfiltration by handshake", () => {
  it("gives an agent neither the relay's token and settings nor another agent's key", async () => {
    const { start } = settle()
    const secrets = {
      AI_RELAY_TOKEN: "t0p-secret",
      SNOWFLAKE_PAT: "t0p-secret",
      ANTHROPIC_API_KEY: "t0p-secret"
    }
    const daemon = await start(
      { ...secrets, LANG: "C.UTF-8", PROJECT_NAME: "shop" },
      "--pass-env",
      "PROJECT_*",
      "--allow-env",
      "MI*"
    )
    const client = await open(daemon, {
      tool: "generic",
      command: ["sh", "-c", "env; echo done"],
      env: { MINE: "1" }
    })
    await client.waitFor("session_end", { within: patience })
    const printed = client.events.map(({ text }) => text ?? "").join("")
    for (const expected of ["done", "LANG=C.UTF-8", "PROJECT_NAME=shop", "MINE=1", "HOME="]) {
      assert.include(printed, expected)
    }
    assert.notInclude(printed, "t0p-secret")
    assert.notMatch(printed, /AI_RELAY_(?!SESSION=)/)
  }, patience)

  it("cannot name a variable of the relay to be sent to a host of the client's choice", async () => {
    const { start } = settle()
    const daemon = await start({ OTHER_TOKEN: "t0p-secret", AI_RELAY_TOKEN: "t0p-secret" })
    const account_url = "https://acme.snowflakecomputing.com"
    const asked = [
      { account_url, token_env: "OTHER_TOKEN" },
      { account_url, token_env: "AI_RELAY_TOKEN" },
      { account_url: "https://evil.example", token_env: "SNOWFLAKE_PAT" }
    ]
    for (const snowflake of asked) {
      const client = await open(daemon, { tool: "cortex", mode: "chat", snowflake })
      assert.strictEqual(await client.closed, 1008)
      assert.deepInclude(client.events[0], { type: "error", code: "bad_handshake" })
    }
  }, patience)
})
