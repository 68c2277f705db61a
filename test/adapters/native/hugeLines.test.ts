/** Lines of many megabytes, and files cut anywhere. */
import { afterAll, assert, describe, it } from "@effect/vitest"
import { readFileSync, rmSync } from "node:fs"
import { join } from "node:path"
import { type Agent, eventsOf, promptsOf, samples } from "../../support/nativeHomes.js"
import { agents, homeOf, ids, plain, promptsIn, removeHomes, textOf, words } from "../../support/oddFiles.js"

afterAll(removeHomes)

describe.each(agents)("a file of %s", (agent) => {
  const lines = plain[agent]

  it("bears a line of 50 MB", () => {
    const huge = lines.map((line) => line.replace("answer two", `answer two ${"y".repeat(50_000_000)}`))
    const { file, store } = homeOf(agent, textOf(huge))
    assert.strictEqual(store.summary(file)?.first_prompt, "one")
    const events = eventsOf(store, file)
    assert.deepStrictEqual(promptsOf(events), words)
    rmSync(file.path)
  }, 30_000)
})

describe("Claude Code's tree", () => {
  it("goes on across a line that is too long to be read at all", () => {
    const huge = plain.claude.map((line, place) =>
      place === 3 ? line.replace("answer", "z".repeat(70_000_000)) : line
    )
    assert.deepStrictEqual(promptsIn("claude", textOf(huge)), words)
  }, 30_000)
})

describe("a sample", () => {
  it.each(agents)("of %s cut anywhere is never an error, and its turns stay well-formed", (agent) => {
    const paths: Readonly<Record<Agent, string>> = {
      claude: "claude/2.1.197/projects/-srv-shop/7495720d-081f-400a-bb52-9ff7a65f842d.jsonl",
      codex: `codex/0.171.0/sessions/2026/11/28/rollout-2026-11-28T14-55-14-${ids.codex}.jsonl`,
      gemini: "gemini/0.61.0/.gemini/tmp/shop/chats/session-2026-11-28T15-03-7b974545.jsonl"
    }
    const bytes = readFileSync(join(samples, paths[agent]))
    for (let part = 1; part < 12; part += 1) {
      for (
        const cut of [
          bytes.subarray(0, (bytes.length * part) / 12),
          bytes.subarray((bytes.length * part) / 12)
        ]
      ) {
        if (agent === "gemini" && cut[0] !== bytes[0]) continue
        const { file, store } = homeOf(agent, cut)
        store.summary(file)
        const types = eventsOf(store, file).map(({ event }) => event.type)
        assert.strictEqual(
          types.filter((type) => type === "turn_start").length,
          types.filter((type) => type === "turn_end").length
        )
      }
    }
  })
})
