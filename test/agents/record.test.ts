/** What `--record` writes of a real session is a session again when it is replayed. */
import { readdirSync, readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { whyNotInstalled } from "../support/agents.js"
import { connect, type Event } from "../support/client.js"
import { reply } from "../support/modelApi/script.js"
import { only, setStage } from "./scenarios.js"

/** What a recording and its replay have in common: all but places, times, answers and the relay's own words. */
const told = (events: ReadonlyArray<Event>) =>
  events
    .filter(({ type }) => !["session_start", "session_end", "input_ack", "control_response"].includes(type))
    .map(({ seq: _seq, session_id: _session, ts: _ts, ...event }) =>
      event.type === "permission_request"
        ? { ...event, metadata: { ...event.metadata, expires_at: 0 } }
        : event
    )

describe.skipIf(whyNotInstalled("claude") !== undefined)("a recorded session", () => {
  const stage = setStage("claude", { tool: "claude" }, (home) => ["--record", join(home, "recordings")])

  it("is replayed as it was, and holds no secret", async () => {
    const secret = "sk-ant-REDACTME-0123456789abcdef"
    const tool = { kind: "shell", command: `touch ${join(stage.home, "x")} # ${secret}` } as const
    stage.api().on(/RUN/, [reply({ thinking: "Hm.", tool }), reply({ text: "Done." })])
    const client = await stage.open({ session_id: "to-record" })
    client.send({ text: "RUN it" })
    const { request_id } = await client.waitFor("permission_request")
    client.send({ type: "permission_response", request_id, behavior: "allow" })
    await client.waitFor("turn_end")
    client.send({ type: "end" })
    expect(await client.closed).toBe(1000)

    const folder = join(stage.home, "recordings")
    expect(readdirSync(folder)).toEqual(["to-record.ndjson"])
    const file = join(folder, "to-record.ndjson")
    expect(statSync(file).mode & 0o777).toBe(0o600)
    const recorded = readFileSync(file, "utf8")
    expect(recorded).not.toContain(secret)
    const events = recorded.trim().split("\n").map((line) => JSON.parse(line) as Event)
    expect(events.map(({ seq }) => seq)).toEqual(client.events.map(({ seq }) => seq))

    const replay = await connect(stage.daemon().url, {
      tool: "replay",
      folder,
      command: ["to-record.ndjson"]
    })
    const asked = await replay.waitFor("permission_request")
    replay.send({ type: "permission_response", request_id: asked.request_id, behavior: "allow" })
    expect(await replay.closed).toBe(1000)
    expect(told(replay.events)).toEqual(told(events))
    expect(only(replay.events, "control_response")).toMatchObject([{ request_id, status: "allow" }])
  })
})
