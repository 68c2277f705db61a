/** CopilotKit's core with the relay as its runtime (`runtimeUrl="…/agui"`), and what a client of AG-UI alone shows beside it. */
import { mkdtempSync, realpathSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { type Daemon, startDaemon } from "../support/daemon.js"
import { judgesOf } from "../support/judges.js"
import { killEverybody, startPerson } from "../support/person.js"

const judges = judgesOf("copilotkit")
const home = realpathSync(mkdtempSync(join(tmpdir(), "ai-relay-copilotkit-")))
const env = { PATH: process.env["PATH"] ?? "", HOME: home, LANG: "C.UTF-8" }

describe.skipIf(judges.missing !== undefined)("CopilotKit's core", () => {
  let relay: Daemon
  beforeAll(async () => {
    relay = await startDaemon({ env, cwd: home, args: ["--root", home, "--state-dir", join(home, "state")] })
  })
  afterAll(async () => {
    await killEverybody()
    await relay.stop()
    rmSync(home, { recursive: true, force: true })
  })

  it("finds the agents, runs one, is asked, and connects again to what a killed page left open", async () => {
    const url = relay.url.replace(/^ws/, "http").replace(/\/$/, "")
    const open = (session: string, more: object) =>
      startPerson("agui", judges, { copilot: true, url, tool: "demo", session, name: session, ...more })
    const prompts = ["mend it"]
    const undisturbed = open("calm", { prompts })
    const killed = open("killed", { prompts, waits: true })
    await killed.until(({ asked }) => asked !== undefined)
    await killed.kill()
    const [calm, again] = await Promise.all([undisturbed.done(), open("killed", { come: true }).done()])
    assert.deepStrictEqual(calm["failures"], [])
    assert.isAtLeast(calm["view"].length, 9)
    assert.deepStrictEqual(again["view"], calm["view"])
  })
})
