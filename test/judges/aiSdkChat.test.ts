/**
 * The AI SDK's own client at a relay of its own, unmodified: undisturbed, and with the client, the relay or both killed in
 * the middle of a message and while a question is open.
 */
import { build } from "esbuild"
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, realpathSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { type Daemon, startDaemon } from "../support/daemon.js"
import { judgesOf } from "../support/judges.js"

type Json = Record<string, any> // oxlint-disable-line typescript/no-explicit-any

const judges = judgesOf("ai-sdk")
const home = realpathSync(mkdtempSync(join(tmpdir(), "ai-relay-chat-")))
const env = { PATH: process.env["PATH"] ?? "", HOME: home, LANG: "C.UTF-8" }

interface Client {
  readonly child: ChildProcess
  /** The first line that this holds for. */
  readonly until: (holds: (line: Json) => boolean) => Promise<Json>
  /** What it showed in the end. */
  readonly done: () => Promise<ReadonlyArray<Json>>
  readonly kill: () => Promise<void>
}

/** With `transport`, the path of ours, over the relay's socket. */
const startClient = (
  sdk: string,
  api: string,
  chat: string,
  how: ReadonlyArray<string>,
  transport?: string
): Client => {
  const loader = join(judges.folder, "node_modules/load.mjs")
  const script = join(import.meta.dirname, "chatClient.mjs")
  const child = spawn(process.execPath, [script, loader, sdk, api, chat, ...how], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, ...(transport !== undefined && { CHAT_TRANSPORT: transport }) }
  })
  const exited = once(child, "exit")
  const lines: Array<Json> = []
  const waiting = new Set<() => void>()
  createInterface({ input: child.stdout as NodeJS.ReadableStream }).on("line", (line) => {
    lines.push(JSON.parse(line) as Json)
    for (const look of [...waiting]) look()
  })
  const until: Client["until"] = (holds) =>
    new Promise((resolve, reject) => {
      const look = () => {
        const found = lines.find(holds)
        if (found === undefined) return
        waiting.delete(look)
        resolve(found)
      }
      waiting.add(look)
      void exited.then(() => reject(new Error(`the client ended: ${JSON.stringify(lines.slice(-3))}`)))
      look()
    })
  return {
    child,
    until,
    done: async () => {
      const { errors, messages } = await until(({ messages }) => messages !== undefined)
      assert.deepStrictEqual(errors, [])
      return messages as ReadonlyArray<Json>
    },
    kill: async () => {
      child.kill("SIGKILL")
      await exited
    }
  }
}

/** What a person sees of the assistant's messages: all but who answered, when, and where in the log it stands. */
const seen = (messages: ReadonlyArray<Json>): ReadonlyArray<unknown> =>
  messages.filter(({ role }) => role === "assistant").map(({ parts }) =>
    (parts as ReadonlyArray<Json>).map(({ approval: _, id: _id, ...part }) =>
      part["type"] === "data-permission"
        ? { ...part, data: { tool: part["data"].tool, status: part["data"].status } }
        : part
    )
  )

const inMessage = ({ shown = 0, text = "" }: Json) => shown > 2 && String(text).length > 20
const isAsked = ({ asked }: Json) => asked !== undefined

const startRelay = (name: string, port = "0") => {
  const state = join(home, `state-${name}`)
  return startDaemon({ env, cwd: home, port, args: ["--root", home, "--state-dir", state] })
}
const apiOf = ({ url }: Daemon, dialect = 7) =>
  `${url.replace("ws:", "http:").replace(/\/$/, "")}/chat/demo@${dialect}`
const historyOf = async (api: string, chat: string) =>
  (await fetch(`${api}/${chat}/messages`)).json() as Promise<ReadonlyArray<Json>>

describe.skipIf(judges.missing !== undefined)("the AI SDK's client at the demo agent", () => {
  let daemon: Daemon
  /** What a person saw whom nothing disturbed. */
  let whole: Promise<ReadonlyArray<unknown>>

  const api = (dialect = 7) => apiOf(daemon, dialect)
  const history = (chat: string, dialect = 7) => historyOf(api(dialect), chat)

  beforeAll(async () => {
    daemon = await startRelay("shared")
    whole = startClient("ai", api(), "undisturbed", ["prompt"]).done().then(seen)
  })
  afterAll(async () => {
    await daemon.stop()
    rmSync(home, { recursive: true, force: true })
  })

  it.concurrent("goes through a turn with a plan, tools, a permission, a question and a diff", async () => {
    const undisturbed = await whole
    const types = new Set((undisturbed[0] as ReadonlyArray<Json>).map(({ type }) => type as string))
    for (
      const type of ["text", "reasoning", "dynamic-tool", "data-plan", "data-file-diff", "data-permission"]
    ) {
      assert.isTrue(types.has(type), type)
    }
    const [user, assistant] = await history("undisturbed")
    assert.strictEqual(user?.["parts"][0].text, "Why is the total a cent too high?")
    assert.deepStrictEqual(seen([assistant as Json]), undisturbed)
    const { safeValidateUIMessages } = await judges.load("ai")
    assert.isTrue((await safeValidateUIMessages({ messages: [user, assistant] })).success)
  })

  it.concurrent("shows the same in version 6", async () => {
    const messages = await startClient("ai6", api(6), "six", ["prompt"]).done()
    const undisturbed = await whole
    assert.deepStrictEqual(seen(messages), seen(await history("six", 6)))
    assert.deepStrictEqual(seen(messages), undisturbed)
  })

  for (
    const [name, moment] of [["in the middle of a message", inMessage], [
      "with a question open",
      isAsked
    ]] as const
  ) {
    const chat = `client-${name.includes("open") ? "asked" : "mid"}`
    it.concurrent(`shows the same when its process is killed ${name} and another comes`, async () => {
      const first = startClient("ai", api(), chat, ["prompt", "wait"])
      await first.until(moment)
      await first.kill()
      const messages = await startClient("ai", api(), chat, ["resume"]).done()
      const undisturbed = await whole
      assert.deepStrictEqual(seen(messages), undisturbed)
      assert.deepStrictEqual(seen(await history(chat)), undisturbed)
    })
  }

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
    const all = await startClient("ai", api(), "socket", ["prompt"], transport).done()
    assert.deepStrictEqual(seen(all), undisturbed)
    assert.deepStrictEqual(seen(await history("socket")), undisturbed)
    const first = startClient("ai", api(), "socket-killed", ["prompt", "wait"], transport)
    await first.until(isAsked)
    await first.kill()
    const messages = await startClient("ai", api(), "socket-killed", ["resume"], transport).done()
    assert.deepStrictEqual(seen(messages), undisturbed)
  })

  for (const whom of ["relay", "relay, with its client,"]) {
    for (
      const [name, moment] of [["in the middle of a message", inMessage], [
        "with a question open",
        isAsked
      ]] as const
    ) {
      it.concurrent(`keeps what was said when the ${whom} is killed ${name}; the next prompt is answered whole`, async () => {
        const chat = `killed-${whom.length}-${name.length}`
        const relay = await startRelay(chat)
        const { port } = new URL(relay.url)
        const at = apiOf(relay)
        const first = startClient("ai", at, chat, ["prompt", "wait"])
        await first.until(moment)
        if (whom === "relay, with its client,") await first.kill()
        await relay.kill()
        const second = await startRelay(chat, port)
        if (whom === "relay") await first.kill()
        // The turn went with its agent; all that had been told is there, and that it was broken off.
        const [user, broken] = await historyOf(at, chat)
        assert.strictEqual(user?.["role"], "user")
        assert.deepInclude(broken?.["metadata"].relay, { stop_reason: "error" })
        const undisturbed = await whole as ReadonlyArray<ReadonlyArray<Json>>
        const texts = (parts: ReadonlyArray<Json> = []) =>
          parts.flatMap(({ text }) => text === undefined ? [] : [text as string])
        for (const [index, text] of texts(broken?.["parts"]).entries()) {
          assert.isTrue(texts(undisturbed[0])[index]?.startsWith(text), text)
        }
        const messages = await startClient("ai", at, chat, ["prompt"]).done()
        assert.deepStrictEqual(seen(messages), undisturbed)
        assert.deepStrictEqual(seen((await historyOf(at, chat)).slice(-1)), undisturbed)
        await second.stop()
      })
    }
  }
})
