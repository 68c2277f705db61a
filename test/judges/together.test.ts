/**
 * One session, one question, clients of four protocols, and an agent over MCP that may not approve. Whoever answers first has
 * answered; the others' dialogs close where their protocol can, and a late answer changes nothing.
 */
import { mkdtempSync, realpathSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { connect, type Event } from "../support/client.js"
import { type Daemon, startDaemon } from "../support/daemon.js"
import { coming, frontNames, missing } from "../support/foreignFronts.js"
import { judgesOf } from "../support/judges.js"
import { type FrontName, killEverybody } from "../support/person.js"

type Json = Record<string, any> // oxlint-disable-line typescript/no-explicit-any

const mcp = judgesOf("mcp")
const home = realpathSync(mkdtempSync(join(tmpdir(), "ai-relay-together-")))
const env = { PATH: process.env["PATH"] ?? "", HOME: home, LANG: "C.UTF-8" }

/** What each is called in `by`. */
const names: Readonly<Record<FrontName | "wire", RegExp | undefined>> = {
  wire: undefined,
  acp: /^acp \(person\)/,
  agui: /^ag-ui/,
  chat: /^chat/
}

describe.skipIf((missing ?? mcp.missing) !== undefined)("clients of four protocols on one session", () => {
  let relay: Daemon
  beforeAll(async () => {
    relay = await startDaemon({
      env,
      cwd: home,
      args: ["--root", home, "--state-dir", join(home, "state"), "--fronts", "acp,chat,agui,mcp"]
    })
  })
  afterAll(async () => {
    await killEverybody()
    await relay.stop()
    rmSync(home, { recursive: true, force: true })
  })

  const agentOverMcp = async () => {
    const { Client } = await mcp.load("@modelcontextprotocol/sdk/client/index.js")
    const { StreamableHTTPClientTransport } = await mcp.load(
      "@modelcontextprotocol/sdk/client/streamableHttp.js"
    )
    const client = new Client({ name: "agent", version: "1.0.0" })
    await client.connect(new StreamableHTTPClientTransport(new URL("/mcp", relay.url.replace(/^ws/, "http"))))
    return async (name: string, args: object): Promise<Json> =>
      await client.callTool({ name, arguments: args }) as Json
  }

  for (const first of ["wire", ...frontNames] as const) {
    it.concurrent(`the first to answer is ${first}`, async () => {
      const session_id = `together-${first}`
      const call = await agentOverMcp()
      await call("relay_open", { tool: "demo", folder: home, session_id })
      const wire = await connect(relay.url, { session_id, must_exist: true })
      await call("relay_prompt", { session_id, text: "mend it", wait_seconds: 0 })
      const isTool = ({ metadata, type }: Event) => type === "permission_request" && metadata.kind === "tool"
      const question = await wire.waitFor("permission_request")
      const answers = { unit: "Whole cents" }
      wire.send({
        type: "permission_response",
        request_id: question["request_id"],
        behavior: "allow",
        answers
      })
      const { request_id } = await wire.waitFor(isTool)
      const place = { relay, tool: "demo", cwd: home }
      const people = frontNames.map((front) => coming(front, place, session_id, [], { waits: true }))
      await Promise.all(people.map(({ until }) => until(({ asked }) => asked !== undefined)))
      // The agent that has opened it may not allow.
      const refused = await call("relay_answer", { session_id, request_id, behavior: "allow" })
      assert.isTrue(refused["isError"], JSON.stringify(refused))

      const answer = { type: "permission_response", request_id }
      const person = people[frontNames.indexOf(first as FrontName)]
      if (person === undefined) wire.send({ ...answer, behavior: "allow" })
      else person.goOn()
      const settled = await wire.waitFor((event) =>
        event.type === "control_response" && event["request_id"] === request_id
      )
      assert.strictEqual(settled["status"], "allow")
      const name = names[first]
      if (name === undefined) assert.isUndefined(settled["metadata"].by.front)
      else assert.match(settled["metadata"].by.front, name)
      // This protocol has a word for it.
      const editor = people[frontNames.indexOf("acp")]
      if (first !== "acp") await editor?.until(({ withdrawn }) => withdrawn !== undefined)
      // The others are too late, whatever they say.
      wire.send({ ...answer, behavior: "deny" })
      for (const { goOn } of people) goOn()
      const { stop_reason } = await wire.waitFor("turn_end")
      assert.strictEqual(stop_reason, "end_turn")
      const ends = await Promise.all(people.map(({ done }) => done()))
      const texts = ends.map(({ failures, view }) => {
        assert.deepStrictEqual(failures, [])
        return (view as ReadonlyArray<Json>).flatMap(({ text }) => text === undefined ? [] : [text])
      })
      assert.isAtLeast(texts[0]?.length ?? 0, 4)
      for (const other of texts) assert.deepStrictEqual(other, texts[0])
      const times = wire.events.filter((event) =>
        event.type === "control_response" && event["request_id"] === request_id
      )
      assert.lengthOf(times, 1)
      await wire.close()
    })
  }
})
