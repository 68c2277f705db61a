/** Prompts typed into a real interactive program, on a terminal of the relay's: each is submitted, not only typed. */
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { agentEnv, type AgentName, whyNotInstalled } from "../support/agents.js"
import { reply } from "../support/modelApi/script.js"
import { setStage } from "./scenarios.js"

interface Terminal {
  readonly agent: AgentName
  /** What stands on the screen when it waits for a prompt. */
  readonly ready: RegExp
  /** What a person has settled at its first start. */
  readonly settle: (home: string) => void
}

const terminals: ReadonlyArray<Terminal> = [
  {
    agent: "claude",
    ready: /shortcuts|\? for help|❯/,
    settle: (home) => {
      const folder = join(home, ".claude")
      mkdirSync(folder, { recursive: true })
      writeFileSync(
        join(folder, ".claude.json"),
        JSON.stringify({
          hasCompletedOnboarding: true,
          theme: "dark",
          customApiKeyResponses: { approved: ["sk-scripted"], rejected: [] },
          projects: { [home]: { hasTrustDialogAccepted: true, hasCompletedProjectOnboarding: true } }
        })
      )
    }
  }
]

const rounds = 3

describe.each(terminals)("the terminal of $agent", ({ agent, ready, settle }) => {
  describe.skipIf(whyNotInstalled(agent) !== undefined)("over generic", () => {
    const stage = setStage(agent, { tool: "generic" })

    it(`submits each prompt that is typed, ${rounds} sessions of two lines each`, async () => {
      const { api, home, open } = stage
      const env = { ...agentEnv(agent, { home, api: api() }), TERM: "xterm-256color" }
      settle(home)
      for (let round = 1; round <= rounds; round++) {
        api().on(new RegExp(`TYPED-${round}-`), reply({ text: `answer ${round}` }))
        const command = ["env", ...Object.entries(env).map(([name, value]) => `${name}=${value}`), agent]
        const client = await open({ command, pty: { cols: 100, rows: 30 } })
        const printed = () =>
          client.events.flatMap(({ text, type }) => type === "stdout" ? [text ?? ""] : []).join("")
        await client.waitFor(() => ready.test(printed()), { within: 60_000 })
        client.send({ text: `TYPED-${round}-one\nand a second line`, message_id: `m${round}` })
        await client.waitFor(({ message_id, type }) => type === "input_ack" && message_id === `m${round}`)
        expect((await api().called(new RegExp(`TYPED-${round}-one`))).prompt).toContain("and a second line")
        await client.close()
      }
    }, 240_000)
  })
})
