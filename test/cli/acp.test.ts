/** `ai-relay acp` as an editor starts it, and what is left when it, or the relay behind it, is killed. */
import * as acp from "@agentclientprotocol/sdk"
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Readable, Writable } from "node:stream"
import { fileURLToPath } from "node:url"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { cleanUpAfterEach } from "../support/cleanUp.js"
import { buildDaemon, type Daemon, startDaemon } from "../support/daemon.js"

const patience = 120_000
const program = fileURLToPath(new URL("../../dist/cli.mjs", import.meta.url))

// Answers of the agent; a test reads what it knows is there.
type Json = Record<string, any> // oxlint-disable-line typescript/no-explicit-any

const folder = mkdtempSync(join(tmpdir(), "ai-relay-acp-"))
const env = { PATH: process.env["PATH"] ?? "", HOME: folder }

beforeAll(buildDaemon, patience)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const startAcp = (args: ReadonlyArray<string>, home = folder): ChildProcess =>
  spawn(process.execPath, [program, "acp", ...args], {
    cwd: home,
    env: { ...env, HOME: home },
    stdio: ["pipe", "pipe", "inherit"]
  })

const editorOn = (child: ChildProcess, onAsk: (params: Json) => Promise<Json>) => {
  const { stdin, stdout } = child
  if (stdin === null || stdout === null) throw new Error("it was started without pipes")
  const texts: Record<string, string> = {}
  const connection = acp.client({ name: "judge" })
    .onNotification("session/update", ({ params }) => {
      const { content, messageId, sessionUpdate } = params.update as Json
      if (String(sessionUpdate).endsWith("_chunk")) texts[messageId] = (texts[messageId] ?? "") + content.text
    })
    .onRequest("session/request_permission", async ({ params }) => await onAsk(params as Json) as never)
    .connect(acp.ndJsonStream(
      Writable.toWeb(stdin) as WritableStream<Uint8Array>,
      Readable.toWeb(stdout) as ReadableStream<Uint8Array>
    ))
  const request = async (method: string, params: object): Promise<Json> =>
    await connection.agent.request(method as never, params as never) as Json
  return {
    texts,
    request,
    initialize: () => request("initialize", { protocolVersion: 1, clientCapabilities: {} })
  }
}

const first = (params: Json) =>
  Promise.resolve({ outcome: { outcome: "selected", optionId: params["options"][0].optionId } })
const hello = { jsonrpc: "2.0", id: 1, method: "initialize", params: { protocolVersion: 1 } }
const place = { cwd: folder, mcpServers: [] }
const promptOf = (sessionId: string) => ({ sessionId, prompt: [{ type: "text", text: "mend it" }] })

describe("ai-relay acp", () => {
  const cleanUp = cleanUpAfterEach()

  it(
    "answers initialize with an empty home, no relay and no network, and leaves when its editor does",
    async () => {
      const home = mkdtempSync(join(tmpdir(), "ai-relay-acp-home-"))
      cleanUp(() => rmSync(home, { recursive: true, force: true }))
      const child = startAcp(["--no-start"], home)
      const { initialize, request } = editorOn(child, first)
      const { agentCapabilities, authMethods, protocolVersion } = await initialize()
      assert.strictEqual(protocolVersion, 1)
      assert.isTrue(agentCapabilities.loadSession)
      assert.isAtLeast(authMethods.length, 1)
      const refused = await request("session/list", {}).then(() => undefined, (error: Error) => error.message)
      assert.include(refused, "ai-relay")
      child.stdin?.end()
      const [code] = await once(child, "exit")
      assert.strictEqual(code, 0)
    },
    patience
  )

  it.each([["nothing", ""], ["half a line", "{\"jsonrpc\":"], ["a request", `${JSON.stringify(hello)}\n`]])(
    "leaves with an editor that says %s and is gone before the program is loaded",
    async (_, said) => {
      const child = startAcp(["--no-start"])
      cleanUp(() => void child.kill("SIGKILL"))
      child.stdin?.end(said)
      const [code] = await once(child, "exit")
      assert.strictEqual(code, 0)
    },
    patience
  )

  it("says the same to an editor that was killed with a question open, as to one that was not", async () => {
    const relay: Daemon = await startDaemon({ env, cwd: folder, args: ["--root", folder] })
    cleanUp(relay.kill)
    const open = (onAsk = first) => {
      const child = startAcp(["--tool", "demo", "--url", relay.url])
      cleanUp(() => void child.kill("SIGKILL"))
      return { child, ...editorOn(child, onAsk) }
    }
    const calm = open()
    await calm.initialize()
    const { sessionId } = await calm.request("session/new", place)
    const { stopReason } = await calm.request("session/prompt", promptOf(sessionId))
    assert.strictEqual(stopReason, "end_turn")

    let asked: (params: Json) => void
    const isAsked = new Promise<Json>((resolve) => (asked = resolve))
    const killed = open((params) => {
      asked(params)
      return new Promise(() => {})
    })
    await killed.initialize()
    const other = await killed.request("session/new", place)
    void killed.request("session/prompt", promptOf(other["sessionId"])).catch(() => {})
    await isAsked
    killed.child.kill("SIGKILL")

    const back = open()
    await back.initialize()
    await back.request("session/load", { sessionId: other["sessionId"], ...place })
    // Behind the turn that goes on.
    const again = await back.request("session/prompt", promptOf(other["sessionId"]))
    assert.strictEqual(again["stopReason"], "end_turn")
    const ofTurn = (texts: Record<string, string>, turn: number) =>
      Object.fromEntries(
        Object.entries(texts).filter(([id]) => id.startsWith(`${turn}.`) && id !== `${turn}.u`)
      )
    assert.deepStrictEqual(ofTurn(back.texts, 1), ofTurn(calm.texts, 1))
    assert.isAtLeast(Object.keys(ofTurn(back.texts, 1)).length, 5)
  }, patience)

  it("outlives its relay: the prompt fails, the next one works", async () => {
    const first_ = await startDaemon({ env, cwd: folder, args: ["--root", folder] })
    cleanUp(first_.kill)
    const { port } = new URL(first_.url)
    let asked: () => void
    const isAsked = new Promise<void>((resolve) => (asked = resolve))
    let answers = false
    const child = startAcp(["--tool", "demo", "--url", first_.url])
    cleanUp(() => void child.kill("SIGKILL"))
    const { initialize, request } = editorOn(child, (params) => {
      asked()
      return answers ? first(params) : new Promise(() => {})
    })
    await initialize()
    const { sessionId } = await request("session/new", place)
    const failed = request("session/prompt", promptOf(sessionId)).then(
      () => undefined,
      (error: { readonly code: number }) => error.code
    )
    await isAsked
    await first_.kill()
    answers = true
    const second = await startDaemon({ env, cwd: folder, args: ["--root", folder], port })
    cleanUp(second.kill)
    assert.strictEqual(await failed, -32603)
    assert.strictEqual((await request("session/prompt", promptOf(sessionId)))["stopReason"], "end_turn")
  }, patience)
})
