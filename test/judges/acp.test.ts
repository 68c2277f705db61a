/** Editors: the protocol's own SDK, its newest version and the one editors still bundle, over pipes and sockets; and acpx. */
import { execFile, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, realpathSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { type Daemon, startDaemon } from "../support/daemon.js"
import { judgesOf } from "../support/judges.js"
import { killEverybody, startPerson } from "../support/person.js"

type Json = Record<string, any> // oxlint-disable-line typescript/no-explicit-any

const program = fileURLToPath(new URL("../../dist/cli.mjs", import.meta.url))
const home = realpathSync(mkdtempSync(join(tmpdir(), "ai-relay-acp-")))
const env = { PATH: process.env["PATH"] ?? "", HOME: home, LANG: "C.UTF-8" }

let relay: Daemon
beforeAll(async () => {
  relay = await startDaemon({ env, cwd: home, args: ["--root", home, "--state-dir", join(home, "state")] })
})
afterAll(async () => {
  await killEverybody()
  await relay.stop()
  rmSync(home, { recursive: true, force: true })
})

const command = () => [process.execPath, program, "acp", "--tool", "demo", "--url", relay.url]

/** How long it takes, in ms, until a program has printed its first line. */
const firstLine = async (args: ReadonlyArray<string>, HOME: string) => {
  const started = performance.now()
  const child = spawn(process.execPath, args, { env: { ...env, HOME }, cwd: home })
  const said: Array<string> = []
  const lines = createInterface({ input: child.stdout }).on("line", (line) => said.push(line))
  child.stdin.write(`${
    JSON.stringify({
      jsonrpc: "2.0",
      id: 0,
      method: "initialize",
      params: { protocolVersion: 1, clientCapabilities: { fs: { readTextFile: true }, terminal: true } }
    })
  }\n`)
  await once(lines, "line")
  const took = performance.now() - started
  child.stdin.end()
  await once(child, "close")
  return { took, said: said.map((line) => JSON.parse(line) as Json) }
}

describe("ai-relay acp, in an empty home, with no relay and no network", () => {
  it("answers initialize in less than half a second, once, and says how to log in", async () => {
    const empty = mkdtempSync(join(tmpdir(), "ai-relay-empty-"))
    const bare: Array<number> = []
    const full: Array<number> = []
    for (let round = 0; round < 5; round++) {
      bare.push((await firstLine(["-e", "console.log(0)"], empty)).took)
      const { said, took } = await firstLine([program, "acp", "--url", "ws://127.0.0.1:1"], empty)
      full.push(took)
      assert.lengthOf(said, 1)
      assert.deepInclude(said[0], { id: 0, jsonrpc: "2.0" })
      assert.strictEqual(said[0]?.["result"].protocolVersion, 1)
      assert.isNotEmpty(said[0]?.["result"].authMethods)
    }
    rmSync(empty, { recursive: true, force: true })
    // On a machine where Node itself takes that long, a little longer.
    assert.isBelow(Math.min(...full), Math.max(500, 3 * Math.min(...bare)))
  })
})

const sdks = judgesOf("acp")
describe.skipIf(sdks.missing !== undefined)("the protocol's SDK", () => {
  const wires: Readonly<Record<string, () => object>> = {
    "over pipes": () => ({ command: command() }),
    "over a WebSocket": () => ({ url: new URL("acp?tool=demo", relay.url).href })
  }
  const versions = { "2": "@agentclientprotocol/sdk", "1.9": "old" }
  const people = Object.entries(versions).flatMap(([version, sdk]) =>
    Object.entries(wires).map(([wire, how]) => ({ version, sdk, wire, how }))
  )
  const views = new Map<string, Json>()

  for (const { how, sdk, version, wire } of people) {
    it.concurrent(`${version} ${wire}: prompts, is asked, and drops nothing; another loads the same`, async () => {
      const told = { sdk, cwd: home, forms: sdk !== "old", ...how() }
      const first = startPerson("acp", sdks, { ...told, prompts: ["mend it"] })
      const { session } = await first.until(({ session }) => session !== undefined)
      const { commands, failures, options, view } = await first.done()
      assert.deepStrictEqual(failures, [])
      assert.isAtLeast(view.length, 9)
      assert.deepStrictEqual(commands.map(({ name }: Json) => name), ["demo", "compact"])
      assert.deepStrictEqual(options.map(({ id }: Json) => id), ["mode", "model"])
      const again = startPerson("acp", sdks, { ...told, session })
      assert.deepStrictEqual((await again.done())["view"], view)
      // What this client cannot read it drops, and says so there.
      assert.strictEqual(first.complaints() + again.complaints(), "")
      views.set(`${version} ${wire}`, view)
    })
  }

  it("shows the same in both versions, over both", () => {
    const [first, ...others] = views.values()
    assert.lengthOf(others, 3)
    for (const other of others) assert.deepStrictEqual(other, first)
  })
})

const acpx = judgesOf("acpx")
describe.skipIf(acpx.missing !== undefined)("acpx", () => {
  const run = async (...args: ReadonlyArray<string>) => {
    const { stdout } = await promisify(execFile)(
      acpx.node,
      [join(acpx.folder, "node_modules/acpx/dist/cli.js"), "--cwd", home, ...args],
      // Programs it starts want its Node first.
      { env, cwd: home, maxBuffer: 64 * 1024 * 1024 }
    )
    return stdout
  }
  const agent = () => ["--agent", command().join(" ")]

  it("works with `ai-relay acp` as with any agent", async () => {
    const out = await run("--approve-all", "--format", "json", "--json-strict", ...agent(), "exec", "mend it")
    const messages = out.trim().split("\n").map((line) => JSON.parse(line) as Json)
    const asked = messages.filter(({ method }) => method === "session/request_permission")
    assert.isNotEmpty(asked)
    const stops = messages.flatMap(({ result }) => result?.stopReason ?? [])
    assert.deepStrictEqual(stops, ["end_turn"])
    assert.isEmpty(messages.filter(({ error }) => error !== undefined))
    const text = messages.flatMap(({ params }) =>
      params?.update?.sessionUpdate === "agent_message_chunk" ? [params.update.content.text] : []
    ).join("")
    assert.include(text, "All 20 tests pass.")
  })
})
