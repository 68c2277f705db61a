/** Back to before a turn with the real CLIs: the model is told what was said up to there, and nothing of what came after. */
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { agentEnv, type AgentName, versionsOf, whyNotInstalled } from "../support/agents.js"
import { connect, type Event } from "../support/client.js"
import { buildDaemon, type Daemon, startDaemon } from "../support/daemon.js"
import { type ModelApi, startModelApi } from "../support/modelApi/ModelApi.js"
import { reply } from "../support/modelApi/script.js"

const patience = 180_000
const words = ["alpha", "bravo", "charlie", "delta", "echo"] as const
/** How each goes back. */
const ways: Readonly<Partial<Record<AgentName, "copy" | "told">>> = {
  claude: "copy",
  codex: "copy",
  gemini: "told"
}

beforeAll(() => {
  if (Object.keys(ways).some((agent) => whyNotInstalled(agent as AgentName) === undefined)) buildDaemon()
}, patience)

describe.each(Object.entries(ways) as ReadonlyArray<[AgentName, "copy" | "told"]>)("%s", (agent, way) => {
  const reason = whyNotInstalled(agent)
  const home = realpathSync(mkdtempSync(join(tmpdir(), `ai-relay-rewind-${agent}-`)))
  const folder = join(home, "shop")
  mkdirSync(folder)
  let api: ModelApi
  let daemon: Daemon

  beforeAll(async () => {
    if (reason !== undefined) return
    api = await startModelApi()
    for (const word of words) api.on(new RegExp(`say ${word}`), reply({ text: `the answer is ${word}` }))
    daemon = await startDaemon({ env: agentEnv(agent, { home, api }), cwd: home, args: ["--root", home] })
  }, patience)

  afterAll(async () => {
    await daemon?.stop()
    await api?.close()
    rmSync(home, { recursive: true, force: true })
  })

  const title = `${agent} ${
    versionsOf(agent).find(({ rank }) => rank === "newest")?.version ?? ""
  }: what a user does`

  it.skipIf(reason !== undefined)(
    `${title} goes back to before a turn with files and conversation, and undoes it`,
    async () => {
      const told = async (word: string) => {
        const { body } = await api.called(new RegExp(`say ${word}`))
        const text = JSON.stringify(body)
        return words.filter((other) => other !== word && text.includes(`say ${other}`))
      }
      const inStatus = (status: string) => (event: Event) =>
        event.type === "status" && event["status"] === status
      writeFileSync(join(folder, "a.txt"), "alpha")
      const client = await connect(daemon.url, { tool: agent, folder, session_id: "s" })
      await client.turn("say alpha")
      writeFileSync(join(folder, "a.txt"), "bravo")
      await client.turn("say bravo")
      await client.turn("say charlie")
      expect(await told("charlie")).toEqual(["alpha", "bravo"])
      client.send({ type: "rewind", turn: 2, force: true })
      const rewound = await client.waitFor((event) => inStatus("rewound")(event) || event.type === "error", {
        within: 60_000
      })
      expect(rewound).toMatchObject({ status: "rewound", metadata: { conversation: way, turn: 2 } })
      // As it was when the second prompt came.
      expect(readFileSync(join(folder, "a.txt"), "utf8")).toBe("bravo")
      await client.turn("say delta")
      expect(await told("delta")).toEqual(["alpha"])
      client.send({ type: "undo_rewind" })
      await client.waitFor(inStatus("rewind_undone"), { within: 60_000 })
      await client.turn("say echo")
      expect(await told("echo")).toEqual(["alpha", "bravo", "charlie"])
    },
    patience
  )
})
