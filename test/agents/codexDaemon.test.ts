/**
 * A thread of Codex shared live with its terminal, through Codex' own daemon: the real TUI on a real terminal, the relay, and
 * a client of the relay. Each sees the other's turns as they happen, either answers what is asked, and the log has each turn
 * once, in the order it happened.
 */
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { agentEnv, versionsOf, whyNotInstalled } from "../support/agents.js"
import { type Client, connect, type Event } from "../support/client.js"
import { buildDaemon, type Daemon, startDaemon } from "../support/daemon.js"
import { type ModelApi, startModelApi } from "../support/modelApi/ModelApi.js"
import { hang, reply } from "../support/modelApi/script.js"
import { endDaemons, openTerminal, type RealTerminal, settleHome } from "../support/realTerminal.js"

const patience = 150_000
const version = versionsOf("codex").find(({ rank }) => rank === "newest")?.version ?? ""

const isTyped = process.env["AI_RELAY_TERMINALS"] === "1"

describe.skipIf(!isTyped || whyNotInstalled("codex") !== undefined)(
  `codex ${version}: shared with its terminal`,
  () => {
    let home: string
    let folder: string
    let api: ModelApi
    let daemon: Daemon
    let env: Record<string, string>
    const clients: Array<Client> = []

    beforeAll(async () => {
      buildDaemon()
      home = realpathSync(mkdtempSync(join(tmpdir(), "ai-relay-codex-daemon-")))
      folder = join(home, "shop")
      mkdirSync(folder)
      api = await startModelApi()
      env = { ...agentEnv("codex", { home, api }) }
      settleHome("codex", home, folder)
      for (const word of ["alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf"]) {
        api.on(new RegExp(`say ${word}`), reply({ text: `the answer is ${word}` }))
      }
      daemon = await startDaemon({ env, cwd: home, args: ["--root", home] })
    }, patience)

    afterAll(async () => {
      for (const client of clients) client.drop()
      await daemon?.stop()
      await api?.close()
      endDaemons(home)
      rmSync(home, { recursive: true, force: true })
    })

    const isTaken = (text: string) => api.requests.some(({ prompt }) => prompt?.includes(text) === true)
    const listed = async (): Promise<ReadonlyArray<Event>> => {
      const answer = await fetch(`${daemon.url.replace(/^ws/, "http")}/native-sessions?tool=codex`)
      return (await answer.json() as { readonly sessions: ReadonlyArray<Event> }).sessions
    }
    const open = async (handshake: object) => {
      const client = await connect(daemon.url, { tool: "codex", history: true, ...handshake })
      clients.push(client)
      return client
    }
    const lastSeq = ({ events }: Client) => events.at(-1)?.seq ?? 0
    const inStatus = (status: string) => (event: Event) =>
      event.type === "status" && event["status"] === status
    const answered = (word: string) => (event: Event) =>
      event.type === "response" && event["text"] === `the answer is ${word}`

    /** Who prompted what, in the order of the log. */
    const prompts = ({ events }: Client) =>
      events.flatMap(({ metadata, text, type }) =>
        type === "turn_start"
          ? [`${metadata?.["origin"] ?? (metadata?.["history"] === true ? "history" : "here")}: ${text}`]
          : []
      )
    const wellFormed = ({ events }: Client) => {
      const marks = events.flatMap(({ type }) => type === "turn_start" || type === "turn_end" ? [type] : [])
      expect(marks).toEqual(marks.map((_, index) => index % 2 === 0 ? "turn_start" : "turn_end"))
    }

    const expectSeen = async (prompt: string, seen: ReadonlyArray<string>) => {
      const { body } = await api.called(new RegExp(`say ${prompt}`))
      const text = JSON.stringify(body)
      for (const word of seen) {
        expect(text).toContain(`say ${word}`)
        expect(text).toContain(`the answer is ${word}`)
      }
    }

    let terminal: RealTerminal
    let native_session_id: string

    it("both sides see each other's turns live, in one order", async () => {
      terminal = await openTerminal("codex", { env, folder, isTaken })
      await terminal.say("say alpha")
      await terminal.shows("the answer is alpha")
      await expect.poll(async () => (await listed()).length, { timeout: 20_000 }).toBe(1)
      const [found] = await listed()
      expect(found).toMatchObject({ open: { by: "terminal" }, can: { join: true } })
      native_session_id = String(found?.["native_session_id"])

      const refused = await open({ native_session_id })
      const { text } = await refused.waitFor((event) => event["code"] === "in_use")
      expect(text).toContain("`if_open`: \"join\"")

      const client = await open({ native_session_id, session_id: "shared", if_open: "join" })
      const start = await client.waitFor("session_start")
      expect(start["metadata"]).toMatchObject({ drive: "joined", native_session_id })
      expect(start["metadata"].capabilities).toMatchObject({ set_model: false, permission_modes: [] })
      await client.waitFor(answered("alpha"))

      await terminal.say("say bravo")
      const told = await client.waitFor(answered("bravo"))
      expect(client.events.some((event) => event.type === "stream_event" && event["delta"] === "text")).toBe(
        true
      )
      await client.waitFor("turn_end", { after: told.seq })
      await expectSeen("bravo", ["alpha"])

      await client.turn("say charlie")
      await terminal.shows("the answer is charlie")
      await expectSeen("charlie", ["alpha", "bravo"])

      await terminal.say("say delta")
      const delta = await client.waitFor(answered("delta"))
      await expectSeen("delta", ["alpha", "bravo", "charlie"])
      await client.waitFor("turn_end", { after: delta.seq })
      expect(prompts(client)).toEqual([
        "history: say alpha",
        "terminal: say bravo",
        "here: say charlie",
        "terminal: say delta"
      ])
      wellFormed(client)
    }, patience)

    it("either side answers what is asked; the other's question goes", async () => {
      const [client] = clients.slice(-1)
      if (client === undefined) throw new Error("nobody is connected")
      const ask = (file: string) => [
        reply({ tool: { kind: "shell", command: `echo hi > ${file}`, escalate: true } }),
        reply({ text: `${file} is written` })
      ]
      api.on(/write one/, ask("one.txt"))
      api.on(/write two/, ask("two.txt"))

      await terminal.say("write one")
      const request = await client.waitFor("permission_request", { after: lastSeq(client) - 5 })
      client.send({ type: "permission_response", request_id: request["request_id"], behavior: "allow" })
      await terminal.shows("one.txt is written")
      await client.waitFor((event) => event.type === "response" && event["text"] === "one.txt is written")
      expect(readFileSync(join(folder, "one.txt"), "utf8")).toBe("hi\n")

      const after = lastSeq(client)
      client.send({ text: "write two" })
      const asked = await client.waitFor("permission_request", { after })
      await terminal.shows("Yes, proceed")
      await terminal.press("y")
      const settled = await client.waitFor(
        (event) =>
          ["permission_cancelled", "control_response"].includes(event.type)
          && event["request_id"] === asked["request_id"],
        { after }
      )
      expect(settled.seq).toBeGreaterThan(asked.seq)
      const two = await client.waitFor((event) =>
        event.type === "response" && event["text"] === "two.txt is written"
      )
      await client.waitFor("turn_end", { after: two.seq })
      wellFormed(client)

      client.send({ type: "set_model", model: "other" })
      const refusal = await client.waitFor((event) => event.type === "error", { after: lastSeq(client) })
      expect(refusal["text"]).toContain("cannot change its model")
    }, patience)

    it("it is left and joined again; what was said meanwhile is in the log once", async () => {
      const [client] = clients.slice(-1)
      if (client === undefined) throw new Error("nobody is connected")
      const before = prompts(client).length
      let after = lastSeq(client)
      client.send({ type: "hand_over" })
      await client.waitFor(inStatus("handed_over"), { after })
      await terminal.say("say echo")
      await client.waitFor(answered("echo"), { after })
      after = lastSeq(client)
      client.send({ text: "say foxtrot" })
      const taken = await client.waitFor(inStatus("taken_over"), { after, within: 60_000 })
      expect(taken["metadata"].drive).toBe("joined")
      const fox = await client.waitFor(answered("foxtrot"), { after, within: 60_000 })
      await terminal.shows("the answer is foxtrot")
      await expectSeen("foxtrot", ["alpha", "bravo", "charlie", "delta", "echo"])
      await client.waitFor("turn_end", { after: fox.seq })
      expect(prompts(client).slice(before)).toEqual(["terminal: say echo", "here: say foxtrot"])
      wellFormed(client)
    }, patience)

    it(
      "a turn that runs in the terminal is joined in its middle, whole, and can be stopped here",
      async () => {
        api.on(/never end/, hang({ text: "half an ans" }))
        // A conversation has one session of the relay: the next one begins when this is gone.
        const gone = await fetch(`${daemon.url.replace(/^ws/, "http")}/sessions/shared`, { method: "DELETE" })
        expect(gone.status).toBe(204)
        await terminal.say("never end")
        await api.called(/never end/)

        const client = await open({ native_session_id, session_id: "middle", if_open: "join" })
        const begun = await client.waitFor((event) =>
          event.type === "turn_start" && event["text"] === "never end"
        )
        expect(begun["metadata"]).toMatchObject({ origin: "terminal" })
        expect(begun["metadata"].history).toBeUndefined()
        client.send({ type: "interrupt" })
        await client.waitFor((event) => event.type === "turn_end" && event["stop_reason"] === "cancelled")
        expect(prompts(client).slice(-2)).toEqual(["history: say foxtrot", "terminal: never end"])
        wellFormed(client)
      },
      patience
    )

    it("its daemon is killed: the next prompt goes on here", async () => {
      const [client] = clients.slice(-1)
      if (client === undefined) throw new Error("nobody is connected")
      await terminal.kill()
      const after = lastSeq(client)
      endDaemons(home)
      await client.waitFor(inStatus("released"), { after, within: 30_000 })
      client.send({ text: "say golf" })
      const golf = await client.waitFor(answered("golf"), { after, within: 60_000 })
      await expectSeen("golf", ["alpha", "bravo", "charlie", "delta", "echo", "foxtrot"])
      await client.waitFor("turn_end", { after: golf.seq })
      const said = prompts(client)
      expect(said.slice(-2)).toEqual(["terminal: never end", "here: say golf"])
      expect(new Set(said).size).toBe(said.length)
      wellFormed(client)
    }, patience)
  }
)
