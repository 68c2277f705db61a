/** `ai-relay handoff` as a process: the relay lets go, and the agent's own command runs in the terminal, in its folder. */
import { execFile } from "node:child_process"
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { cleanUpAfterEach } from "../support/cleanUp.js"
import { type Client, connect } from "../support/client.js"
import { buildDaemon } from "../support/daemon.js"
import * as FakeRelay from "../support/fakeRelay.js"
import { makeTerminal } from "../support/nativeTerminal.js"

const program = fileURLToPath(new URL("../../dist/cli.mjs", import.meta.url))
const terminal = makeTerminal()
terminal.turn("one")

let relay: FakeRelay.FakeRelay
beforeAll(async () => {
  buildDaemon()
  relay = await FakeRelay.start(terminal.options)
}, 60_000)
afterAll(async () => {
  await relay.end()
  terminal.remove()
})
const cleanUp = cleanUpAfterEach()

/** Where an agent's own command is looked for. */
const bin = join(terminal.home, "bin")
mkdirSync(bin)
const install = (script: string) =>
  writeFileSync(join(bin, "claude"), `#!/bin/sh\n${script}\n`, { mode: 0o755 })

interface Outcome {
  readonly code: number
  readonly out: string
  readonly err: string
}

const relayCommand = (...args: ReadonlyArray<string>): Promise<Outcome> =>
  new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [program, ...args, "--url", relay.url],
      { env: { PATH: `${bin}:${process.env["PATH"]}`, HOME: "/nonexistent", NO_COLOR: "1" } },
      (_, out, err) => resolve({ code: child.exitCode ?? -1, out, err })
    )
    child.stdin?.end()
  })
const handoff = (...args: ReadonlyArray<string>) => relayCommand("handoff", ...args)

const open = async (session_id: string): Promise<Client> => {
  const client = await connect(relay.url, {
    tool: "claude",
    native_session_id: terminal.id,
    history: true,
    session_id
  })
  cleanUp(async () => {
    client.send({ type: "end" })
    await client.closed
  })
  await client.waitFor("session_start")
  return client
}
const shell = `cd -- ${terminal.folder} && claude --resume ${terminal.id}`

describe("ai-relay handoff", () => {
  it("ends the relay's agent and runs the agent's command in its folder, with its exit code", async () => {
    install("echo \"in $PWD: $*\"; exit 7")
    const client = await open("given")
    const { code, err, out } = await handoff("given")
    assert.strictEqual(out, `in ${terminal.folder}: --resume ${terminal.id}\n`)
    assert.include(err, shell)
    assert.strictEqual(code, 7)
    await client.waitFor((event) => event.type === "status" && event["status"] === "handed_over")
    assert.strictEqual(client.events.filter(({ type }) => type === "session_end").length, 0)
  })

  it("prints the command only when asked to", async () => {
    install("echo it ran; exit 7")
    await open("printed")
    const { code, out } = await handoff("--print", "printed")
    assert.strictEqual(out, `${shell}\n`)
    assert.strictEqual(code, 0)
  })

  it("takes the newest session if none is named", async () => {
    await open("newest")
    assert.strictEqual((await handoff("--print")).out, `${shell}\n`)
  })

  it("says what to do where it cannot", async () => {
    const missing = await handoff("nothing")
    assert.include(missing.err, "there is no session \"nothing\": `ai-relay sessions` lists the saved ones")
    assert.notStrictEqual(missing.code, 0)
    const client = await open("busy")
    client.send({ text: "work" })
    await client.waitFor("response")
    const other = await connect(relay.url, { tool: "claude", folder: terminal.folder, session_id: "fresh" })
    await other.waitFor("session_start")
    const fresh = await handoff("fresh")
    assert.include(fresh.err, "send a prompt first")
    other.send({ type: "end" })
    await other.closed
  })
})

describe("ai-relay run --native", () => {
  it("adds a turn to a conversation of a terminal, in its own folder, by the beginning of its id", async () => {
    const { code, err, out } = await relayCommand(
      "run",
      "--native",
      terminal.id.slice(0, 8),
      "and the tests?"
    )
    assert.strictEqual(out.trim(), "relay: and the tests?", err)
    assert.strictEqual(code, 0)
    assert.deepInclude(relay.agent().spec, { native_session_id: terminal.id, folder: terminal.folder })
  })

  it("says what to do about an id that nobody knows", async () => {
    const { code, err } = await relayCommand("run", "--native", "ffffffff", "hello")
    assert.include(err, "there is no conversation \"ffffffff\" that this relay may show")
    assert.strictEqual(code, 1)
  })
})
