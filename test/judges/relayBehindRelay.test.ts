/** The relay behind the relay, as processes: an ACP agent of one relay is `ai-relay acp`, whose sessions live in another. */
import { mkdtempSync, realpathSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, assert, describe, it } from "vitest"
import type { RelayEvent } from "../../src/schema/index.js"
import { keepsPromises } from "../adapters/contract.js"
import { cleanUpAfterEach } from "../support/cleanUp.js"
import { connect, type Event } from "../support/client.js"
import { startDaemon } from "../support/daemon.js"

const program = fileURLToPath(new URL("../../dist/cli.mjs", import.meta.url))
const folder = realpathSync(mkdtempSync(join(tmpdir(), "ai-relay-behind-")))
const env = { PATH: process.env["PATH"] ?? "", HOME: folder }
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe("a relay whose agent is `ai-relay acp`", () => {
  const cleanUp = cleanUpAfterEach()

  it("has the same conversation, keeps every promise", async () => {
    const start = async () => {
      const daemon = await startDaemon({ env, cwd: folder, args: ["--root", folder, "--state-dir", "none"] })
      cleanUp(daemon.kill)
      return daemon
    }
    const [inner, outer] = await Promise.all([start(), start()])
    const prompt = async (url: string, handshake: object) => {
      const client = await connect(url, { ...handshake, folder })
      cleanUp(() => client.drop())
      client.onEvent((event) => {
        if (event.type !== "permission_request") return
        const [question] = event["args"]?.questions ?? []
        client.send({
          type: "permission_response",
          request_id: event["request_id"],
          behavior: "allow",
          ...(question !== undefined && { answers: { [question.id]: question.options[0].label } })
        })
      })
      const told = await client.turn("mend it")
      client.send({ type: "end" })
      await client.closed
      return { told, all: client.events }
    }
    const [behind, direct] = await Promise.all([
      prompt(outer.url, {
        tool: "acp",
        command: [process.execPath, program, "acp", "--tool", "demo", "--url", inner.url]
      }),
      prompt(inner.url, { tool: "demo" })
    ])
    keepsPromises(
      behind.all as unknown as ReadonlyArray<RelayEvent>,
      behind.all.flatMap(({ raw }) => raw === undefined ? [] : [JSON.stringify(raw)])
    )
    const seen = (events: ReadonlyArray<Event>) =>
      events.flatMap((event): ReadonlyArray<string> =>
        event.type === "assistant_message" && event["text"] !== undefined
          ? [event["text"]]
          : event.type === "tool_call"
          ? [event["tool_use_id"]]
          : event.type === "file_diff"
          ? [event["file_path"]]
          : []
      )
    const told = seen(direct.told)
    assert.isAtLeast(told.length, 8)
    // ACP's clients are told of a question as of a tool.
    const calls = new Set(told)
    assert.deepStrictEqual(seen(behind.told).filter((one) => calls.has(one)), told)
  })
})
