/** The AI SDK's own client at a relay of its own, unmodified: what a page keeps is what the relay has as its history. */
import { build } from "esbuild"
import { mkdtempSync, realpathSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { type Daemon, startDaemon } from "../support/daemon.js"
import { judgesOf } from "../support/judges.js"
import { killEverybody, startPerson } from "../support/person.js"

type Json = Record<string, any> // oxlint-disable-line typescript/no-explicit-any
type Messages = ReadonlyArray<Json>

const judges = judgesOf("ai-sdk")
const home = realpathSync(mkdtempSync(join(tmpdir(), "ai-relay-chat-")))
const env = { PATH: process.env["PATH"] ?? "", HOME: home, LANG: "C.UTF-8" }
const prompts = ["Why is the total a cent too high?"]

/** What a person sees of the assistant's messages: all but who answered, when, and where in the log it stands. */
const seen = (messages: Messages): ReadonlyArray<unknown> =>
  messages.filter(({ role }) => role === "assistant").map(({ parts }) =>
    (parts as Messages).map(({ approval: _, id: _id, ...part }) =>
      part["type"] === "data-permission"
        ? { ...part, data: { tool: part["data"].tool, status: part["data"].status } }
        : part
    )
  )

describe.skipIf(judges.missing !== undefined)("the AI SDK's client at the demo agent", () => {
  let daemon: Daemon
  /** What a person saw whom nothing disturbed. */
  let whole: Promise<ReadonlyArray<unknown>>

  const url = () => daemon.url.replace("ws:", "http:").replace(/\/$/, "")
  const history = async (chat: string, version = 7): Promise<Messages> => {
    const answer = await fetch(`${url()}/chat/demo@${version}/${chat}/messages`)
    return await answer.json() as Messages
  }
  const startClient = (sdk: string, session: string, more: object = {}) =>
    startPerson("chat", judges, { sdk, version: 7, url: url(), tool: "demo", session, ...more })
  const messagesOf = async (client: ReturnType<typeof startClient>) => {
    const { failures, messages } = await client.done()
    assert.deepStrictEqual(failures, [])
    return messages as Messages
  }

  beforeAll(async () => {
    daemon = await startDaemon({ env, cwd: home, args: ["--root", home, "--state-dir", join(home, "state")] })
    whole = messagesOf(startClient("ai", "undisturbed", { prompts })).then(seen)
  })
  afterAll(async () => {
    await killEverybody()
    await daemon.stop()
    rmSync(home, { recursive: true, force: true })
  })

  it.concurrent("goes through a turn with a plan, tools, a permission, a question and a diff", async () => {
    const undisturbed = await whole
    const types = new Set((undisturbed[0] as Messages).map(({ type }) => type as string))
    for (
      const type of ["text", "reasoning", "dynamic-tool", "data-plan", "data-file-diff", "data-permission"]
    ) {
      assert.isTrue(types.has(type), type)
    }
    const [user, assistant] = await history("undisturbed")
    assert.strictEqual(user?.["parts"][0].text, prompts[0])
    assert.deepStrictEqual(seen([assistant as Json]), undisturbed)
    const { safeValidateUIMessages } = await judges.load("ai")
    assert.isTrue((await safeValidateUIMessages({ messages: [user, assistant] })).success)
  })

  it.concurrent("goes on when it sends only the end of the conversation", async () => {
    const client = startClient("ai", "brief", { prompts: [...prompts, "And the other one?"], brief: true })
    const [first, second] = seen(await messagesOf(client))
    const [undisturbed] = await whole
    assert.deepStrictEqual(first, undisturbed)
    assert.isDefined(second)
  })

  it.concurrent("shows the same in version 6", async () => {
    const messages = await messagesOf(startClient("ai6", "six", { version: 6, prompts }))
    assert.deepStrictEqual(seen(messages), seen(await history("six", 6)))
    assert.deepStrictEqual(seen(messages), await whole)
  })

  it.concurrent("asks with a part of its own in version 5, which knows no approvals", async () => {
    const client = startClient("ai5", "five", { version: 5, prompts })
    const messages = await messagesOf(client)
    assert.deepStrictEqual(seen(messages), seen(await history("five", 5)))
    const parts = seen(messages)[0] as Messages
    const permissions = parts.filter(({ type }) => type === "data-permission")
    assert.deepStrictEqual(permissions.map(({ data }) => data.status), ["allow", "allow"])
    const { safeValidateUIMessages } = await judges.load("ai5")
    assert.isTrue((await safeValidateUIMessages({ messages })).success)
  })

  it.concurrent("shows the same over our own transport, killed with a question open, too", async () => {
    const transport = join(process.cwd(), "node_modules/.cache/ai-relay/chatTransport.mjs")
    await build({
      entryPoints: ["src/fronts/chat/WebSocketChatTransport.ts"],
      outfile: transport,
      bundle: true,
      format: "esm",
      platform: "browser"
    })
    const undisturbed = await whole
    const all = await messagesOf(startClient("ai", "socket", { prompts, transport }))
    assert.deepStrictEqual(seen(all), undisturbed)
    assert.deepStrictEqual(seen(await history("socket")), undisturbed)
    const first = startClient("ai", "socket-killed", { prompts, transport, waits: true })
    await first.until(({ asked }) => asked !== undefined)
    await first.kill()
    const again = await messagesOf(startClient("ai", "socket-killed", { come: true, transport }))
    assert.deepStrictEqual(seen(again), undisturbed)
    assert.deepStrictEqual(seen(await history("socket-killed")), undisturbed)
  })
})
