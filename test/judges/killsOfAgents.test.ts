/**
 * Real agents, with a scripted model, driven over three fronts: the client is killed in the middle of an answer, the next one
 * with a question open, and a third sees what an undisturbed run shows. Then the relay is killed with its clients while a
 * question is open: what had been told is kept, and the next prompt is answered whole, in the same conversation.
 */
import { mkdtempSync, realpathSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "vitest"
import { agentEnv, type AgentName, whyNotInstalled } from "../support/agents.js"
import { startDaemon } from "../support/daemon.js"
import { coming, frontNames, missing, prompting, sessionOf } from "../support/foreignFronts.js"
import { startModelApi } from "../support/modelApi/ModelApi.js"
import { reply } from "../support/modelApi/script.js"
import { killEverybody, type Person } from "../support/person.js"

type Json = Record<string, any> // oxlint-disable-line typescript/no-explicit-any
type View = ReadonlyArray<Json>

const agents: ReadonlyArray<AgentName> = ["claude", "codex", "gemini"]
/** It changes the folder, so every agent asks. */
const shell = {
  kind: "shell",
  command: "touch made-by-tool.txt && echo made-by-tool",
  escalate: true
} as const
const done = reply({ text: "It ran, and all is well." })

const isAsked = ({ asked }: Json) => asked !== undefined
const hasWords = ({ view = [] }: Json) =>
  (view as View).some(({ text = "" }) => (text as string).includes("I"))

/** What is the same each time: the words, the tools and how they ended; an agent's own numbers are not. */
const shownIn = (view: View) =>
  view.flatMap(({ content, text, tool, user }) =>
    user !== undefined
      ? [["user"]]
      : text !== undefined
      ? [["text", text]]
      : tool !== undefined
      ? [["tool", tool, /made-by-tool/.test(JSON.stringify(content))]]
      : []
  )
/** From where somebody prompts for the last time. */
const lastTurn = (view: View) => shownIn(view.slice(view.findLastIndex(({ user }) => user !== undefined)))

for (const agent of agents) {
  const why = missing ?? whyNotInstalled(agent)
  // Each start of Gemini takes seconds.
  const fronts = agent === "gemini" ? frontNames.slice(0, 1) : frontNames
  const title = `${agent}, over ${fronts.join(", ")}${why === undefined ? "" : `: ${why}`}`
  describe.skipIf(why !== undefined)(title, () => {
    it("shows to whoever comes after a kill what an undisturbed run shows", async () => {
      const home = realpathSync(mkdtempSync(join(tmpdir(), `ai-relay-kills-${agent}-`)))
      const api = await startModelApi()
      const start = (port: string) =>
        startDaemon({
          env: agentEnv(agent, { home, api }),
          cwd: home,
          port,
          args: ["--root", home, "--state-dir", join(home, "state")]
        })
      let relay = await start("0")
      const { port } = new URL(relay.url)
      const place = () => ({ relay, tool: agent, cwd: home })
      const words = { text: ["I ", "look, ", "then I run it. "], tool: shell }
      try {
        await Promise.all(fronts.map(async (front) => {
          const finished = async (person: Person) => {
            const { failures, view } = await person.done()
            assert.deepStrictEqual(failures, [], front)
            return view as View
          }
          let release = () => {}
          const hold = new Promise<void>((resolve) => (release = resolve))
          api.on(new RegExp(`CALM ${front}`), [reply(words), done])
          api.on(new RegExp(`KILL ${front}`), [reply({ ...words, hold }), done])

          const calm = await finished(prompting(front, place(), `calm-${front}`, [`CALM ${front}`]))
          const name = `killed-${front}`
          const first = prompting(front, place(), name, [`KILL ${front}`], { waits: true })
          const session = await sessionOf(front, first, name)
          await first.until(hasWords)
          await first.kill()
          const second = coming(front, place(), session, [], { waits: true })
          await second.until(hasWords)
          release()
          await second.until(isAsked)
          await second.kill()
          const seen = await finished(coming(front, place(), session))
          assert.deepStrictEqual(shownIn(seen), shownIn(calm), front)
        }))
        const open = await Promise.all(fronts.map(async (front) => {
          const name = `relay-${front}`
          const person = prompting(front, place(), name, [`CALM ${front}`], { waits: true })
          const session = await sessionOf(front, person, name)
          await person.until(isAsked)
          return { front, person, session, before: shownIn(person.view()) }
        }))
        await Promise.all(open.map(({ person }) => person.kill()))
        await relay.kill()
        relay = await start(port)
        await Promise.all(open.map(async ({ before, front, session }) => {
          const { view } = await coming(front, place(), session, [`CALM ${front}`]).done() as { view: View }
          const shown = shownIn(view)
          // All that was told, once; the tool that nobody allowed has no result.
          assert.deepStrictEqual(shown.slice(0, before.length), before, front)
          assert.lengthOf(shown.filter(([kind]) => kind === "user"), 2, front)
          assert.deepStrictEqual(lastTurn(view).at(-1), ["text", "It ran, and all is well."], front)
        }))
      } finally {
        await killEverybody()
        await relay.stop()
        await api.close()
        rmSync(home, { recursive: true, force: true, maxRetries: 5 })
      }
    }, 240_000)
  })
}
