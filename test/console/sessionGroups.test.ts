import { assert, describe, it } from "vitest"
import { groupsOf } from "../../src/console/components/sessionGroups.js"
import type { SessionLine } from "../../src/console/model/sessions.js"

const line = (session_id: string, fields: Partial<SessionLine> = {}): SessionLine => ({
  session_id,
  tool: "claude",
  folder: "/srv/shop",
  created_at: 1,
  last_active_at: 1,
  last_seq: 1,
  clients: 0,
  turns: 1,
  cost_usd: 0,
  pending: [],
  state: "idle",
  ...fields
})

const shown = (lines: ReadonlyArray<SessionLine>, filter = "", archived = false) =>
  groupsOf(lines, filter, archived).map((
    { folder, lines }
  ) => [folder, lines.map(({ session_id }) => session_id)])

describe("the list of sessions", () => {
  const lines = [
    line("old", { last_active_at: 1 }),
    line("other", { folder: "/srv/blog", last_active_at: 3, title: "Mend the feed" }),
    line("new", { last_active_at: 2, title: "Mend the total" }),
    line("asks", { pending: ["r-1"], archived: true, state: "running" }),
    line("over", { pending: ["r-1"], state: "closed" }),
    line("away", { archived: true })
  ]

  it("has those that need a person first, then folders, the latest first", () => {
    assert.deepStrictEqual(shown(lines), [
      [undefined, ["asks"]],
      ["/srv/blog", ["other"]],
      ["/srv/shop", ["new", "old", "over"]]
    ])
    assert.deepStrictEqual(shown(lines, "", true), [["/srv/shop", ["away"]]])
  })

  it("is filtered by every word of title, folder and agent", () => {
    assert.deepStrictEqual(shown(lines, "mend"), [["/srv/blog", ["other"]], ["/srv/shop", ["new"]]])
    assert.deepStrictEqual(shown(lines, "mend SHOP claude"), [["/srv/shop", ["new"]]])
    assert.deepStrictEqual(shown(lines, "nothing of this"), [])
  })
})
