import { assert, describe, it } from "vitest"
import { depthsOf, groupsOf } from "../../src/console/components/sessionGroups.js"
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

  it("has what an agent opened below that agent's session, in its group, however old it is", () => {
    const by = (session_id: string) => ({ opened_by: { front: "mcp (claude-code)", session_id } })
    const family = [
      line("parent", { last_active_at: 2 }),
      line("child", { ...by("parent"), folder: "/srv/shop/api", last_active_at: 9 }),
      line("grandchild", { ...by("child"), folder: "/srv/shop/api/v2", last_active_at: 8 }),
      line("sibling", { ...by("parent"), last_active_at: 1 }),
      line("stranger", { last_active_at: 5 }),
      line("orphan", { ...by("gone"), last_active_at: 4 })
    ]
    assert.deepStrictEqual(shown(family), [
      ["/srv/shop", ["stranger", "orphan", "parent", "child", "grandchild", "sibling"]]
    ])
    const [{ lines } = { lines: [] }] = groupsOf(family, "")
    assert.deepStrictEqual([...depthsOf(lines).values()], [0, 0, 0, 1, 2, 1])
  })

  it("loses nobody to a chain that leads back to itself, or to a parent that is not shown", () => {
    const by = (session_id: string) => ({ opened_by: { session_id } })
    const circle = [line("a", by("b")), line("b", by("a")), line("c", by("c"))]
    assert.sameMembers(shown(circle).flatMap(([, ids]) => ids ?? []), ["a", "b", "c"])
    const waiting = [line("top", { pending: ["r"] }), line("below", { ...by("top"), folder: "/srv/x" })]
    assert.deepStrictEqual(shown(waiting), [[undefined, ["top"]], ["/srv/x", ["below"]]])
  })
})
