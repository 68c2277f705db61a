/** Snowflake Cortex behind the real relay, over real sockets; only Snowflake is ours. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type Client, connect } from "../support/client.js"
import * as Server from "../support/cortexServer.js"
import { buildDaemon, type Daemon, startDaemon } from "../support/daemon.js"

const home = mkdtempSync(join(tmpdir(), "ai-relay-cortex-"))
const pat = "pat-of-the-relay"
let server: Server.CortexServer
let daemon: Daemon

beforeAll(async () => {
  buildDaemon()
  server = await Server.startCortexServer()
  daemon = await startDaemon({
    env: { PATH: process.env.PATH ?? "", HOME: home, SNOWFLAKE_PAT: pat, TEAM_PAT: "pat-of-the-team" },
    cwd: home,
    args: ["--root", home, "--cortex-host", server.host, "--cortex-token-env", "TEAM_PAT"]
  })
})

afterAll(async () => {
  await daemon.stop()
  await server.close()
  rmSync(home, { recursive: true })
})

const handshake = (snowflake: object = {}, more: object = {}) => ({
  tool: "cortex",
  folder: home,
  model: "claude-sonnet-4-5",
  snowflake: { account_url: server.url, ...snowflake },
  ...more
})

const open = async (snowflake?: object, more?: object): Promise<Client> => {
  const client = await connect(daemon.url, handshake(snowflake, more))
  await client.waitFor("session_start")
  return client
}

const types = (events: ReadonlyArray<{ type: string }>) => events.map(({ type }) => type)

describe("Cortex behind the real relay", () => {
  it("answers, streams, and remembers", async () => {
    server.reply(
      Server.stream([Server.says("Grüß "), Server.says("Gott 😀"), Server.used(3, 4), Server.done], {
        piece: 5
      }),
      Server.answer("Bye.")
    )
    const client = await open()
    const events = await client.turn("hello")
    expect(types(events)).toEqual([
      "turn_start",
      "user_message",
      "input_ack",
      "stream_event",
      "stream_event",
      "stream_event",
      "assistant_message",
      "response",
      "turn_end"
    ])
    expect(events.find(({ type }) => type === "response")?.text).toBe("Grüß Gott 😀")
    expect(events.at(-1)).toMatchObject({
      stop_reason: "end_turn",
      usage: { input_tokens: 3, output_tokens: 4 }
    })
    await client.turn("bye")
    const request = server.requests.at(-1)
    expect(request?.headers.authorization).toBe(`Bearer ${pat}`)
    expect(request?.body.messages).toEqual([
      { role: "user", content: "hello" },
      { role: "assistant", content: "Grüß Gott 😀" },
      { role: "user", content: "bye" }
    ])
    expect(JSON.stringify(client.events)).not.toContain(pat)
    await client.close()
  })

  it("hangs up when the turn is interrupted, and goes on after it", async () => {
    server.reply(Server.stream([Server.says("Once upon")], { then: "silence" }), Server.answer("Fine."))
    const client = await open()
    client.send({ text: "a story" })
    await client.waitFor(({ text, type }) => type === "stream_event" && text === "Once upon")
    client.send({ type: "interrupt" })
    const end = await client.waitFor("turn_end")
    expect(end.stop_reason).toBe("cancelled")
    await server.hungUp()
    const events = await client.turn("never mind")
    expect(events.at(-1)?.stop_reason).toBe("end_turn")
    await client.close()
  })

  it("hangs up when its client goes", async () => {
    server.reply(Server.stream([Server.says("Twice upon")], { then: "silence" }))
    const client = await open({ token_env: "TEAM_PAT" })
    client.send({ text: "a story" })
    await client.waitFor(({ text, type }) => type === "stream_event" && text === "Twice upon")
    const request = server.requests.at(-1)
    expect(request?.headers.authorization).toBe("Bearer pat-of-the-team")
    client.drop()
    await expect.poll(() => request?.aborted).toBe(true)
  })

  it("lets another client see and settle what an agent asks", async () => {
    const use = {
      tool_use_id: "t-1",
      type: "generic",
      name: "drop",
      input: {},
      permission: { options: ["Allow Once", "Deny"] }
    }
    const response = (content: object) => ({
      event: "response",
      data: { role: "assistant", content: [content] }
    })
    server.reply(
      Server.stream([
        { event: "response.tool_use", data: use },
        response({ type: "tool_use", tool_use: use })
      ]),
      Server.stream([response({ type: "text", text: "It is gone." })])
    )
    const session_id = "cortex-shared"
    const asking = await open({ agent: "D.S.A" }, { session_id })
    asking.send({ text: "drop it" })
    await asking.waitFor("permission_request")
    const other = await open({ agent: "D.S.A" }, { session_id, after_seq: 0 })
    const { request_id } = await other.waitFor("permission_request")
    other.send({ type: "permission_response", request_id, behavior: "allow" })
    const { text } = await asking.waitFor("response")
    expect(text).toBe("It is gone.")
    asking.send({ type: "end" })
    expect(await asking.closed).toBe(1000)
    await other.closed
  })

  it.each([
    [{ account_url: "https://evil.example" }, "snowflakecomputing.com"],
    [{ account_url: "http://127.0.0.1:1" }, "https"],
    [{ token_env: "HOME" }, "SNOWFLAKE_PAT, TEAM_PAT"],
    [{ token_env: "AI_RELAY_TOKEN" }, "--cortex-token-env"]
  ])("refuses %j before it sends anything", async (snowflake, why) => {
    const before = server.requests.length
    const client = await connect(daemon.url, handshake(snowflake))
    expect(await client.closed).toBe(1008)
    const error = client.events.find(({ type }) => type === "error")
    expect(error).toMatchObject({ code: "bad_handshake", metadata: { fatal: true } })
    expect(error?.text).toContain(why)
    expect(server.requests.length).toBe(before)
  })
})
