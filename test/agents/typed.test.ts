/** Prompts typed into real interactive programs, on a terminal of the relay's: each is submitted, not only typed. */
import { describe, expect, it } from "vitest"
import { agentEnv, whyNotInstalled } from "../support/agents.js"
import { reply } from "../support/modelApi/script.js"
import { interactive, isReady, settleHome } from "../support/realTerminal.js"
import { setStage } from "./scenarios.js"

const rounds = 3
const stillMs = 1000

/** Nothing is drawn for a moment: a program that is still starting takes no keys. */
const still = async (drawn: () => number) => {
  for (let before = -1; before !== drawn();) {
    before = drawn()
    await new Promise((resolve) => setTimeout(resolve, stillMs))
  }
}

describe.each(interactive)("the terminal of %s", (agent) => {
  describe.skipIf(whyNotInstalled(agent) !== undefined)("over generic", () => {
    const stage = setStage(agent, { tool: "generic" })

    it(`submits each prompt that is typed, ${rounds} sessions of two lines each`, async () => {
      const { api, home, open } = stage
      const env = { ...agentEnv(agent, { home, api: api() }), TERM: "xterm-256color" }
      settleHome(agent, home, home)
      for (let round = 1; round <= rounds; round++) {
        api().on(new RegExp(`TYPED-${round}-`), reply({ text: `answer ${round}` }))
        const command = ["env", ...Object.entries(env).map(([name, value]) => `${name}=${value}`), agent]
        const client = await open({ command, pty: { cols: 100, rows: 30 } })
        // What the terminal of a page answers to who asks where its cursor is, and what it is.
        client.onEvent(({ text = "", type }) => {
          if (type === "stdout" && text.includes("\u001b[6n")) {
            client.send({ type: "stdin", data: "\u001b[1;1R" })
          }
          if (type === "stdout" && text.includes("\u001b[c")) {
            client.send({ type: "stdin", data: "\u001b[?62;c" })
          }
        })
        const printed = () =>
          client.events.flatMap(({ text, type }) => type === "stdout" ? [text ?? ""] : []).join("")
        await client.waitFor(() => isReady(agent, printed()), { within: 60_000 })
        await still(() => client.events.length)
        client.send({ text: `TYPED-${round}-one\nand a second line`, message_id: `m${round}` })
        await client.waitFor(({ message_id, type }) => type === "input_ack" && message_id === `m${round}`)
        expect((await api().called(new RegExp(`TYPED-${round}-one`))).prompt).toContain("and a second line")
        await client.close()
      }
    }, 240_000)
  })
})
