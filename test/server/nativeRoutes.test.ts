/** The conversations people had in a terminal, over HTTP: what is shown, and what never is. */
import { assert, describe } from "@effect/vitest"
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll } from "vitest"
import * as NativeDisk from "../../src/services/native/NativeDisk.js"
import { samples } from "../support/nativeHomes.js"
import { type Relay, test } from "../support/relayServer.js"

const shopId = "7495720d-081f-400a-bb52-9ff7a65f842d"
const foreignId = "aaaaaaaa-0000-4000-8000-000000000001"
const linkedId = "aaaaaaaa-0000-4000-8000-000000000002"
const codexForeignId = "019aaaaa-0000-7000-8000-000000000001"
const codexCopyId = "019aaaaa-0000-7000-8000-000000000002"
const codexPackedId = "019aaaaa-0000-7000-8000-000000000003"
const secret = "correct-horse-battery-staple"
const apiKey = ["sk", "ant", "k".repeat(24)].join("-")

const home = realpathSync(mkdtempSync(join(tmpdir(), "native-")))
const shop = join(home, "shop")
const foreign = join(home, "foreign")
const nameOf = (folder: string) => folder.replaceAll(/[^a-zA-Z0-9]/g, "-")

const userLine = (cwd: string, text: string, id: string) =>
  JSON.stringify({
    type: "user",
    uuid: "11111111-0000-4000-8000-000000000001",
    parentUuid: null,
    isSidechain: false,
    cwd,
    sessionId: id,
    timestamp: "2026-11-28T14:00:00.000Z",
    message: { role: "user", content: text }
  }) + "\n"

mkdirSync(shop)
mkdirSync(foreign)
const projects = join(home, ".claude/projects")
mkdirSync(join(projects, nameOf(shop)), { recursive: true })
mkdirSync(join(projects, nameOf(foreign)), { recursive: true })
cpSync(join(samples, "claude/2.1.197/projects/-srv-shop"), join(projects, nameOf(shop)), { recursive: true })
cpSync(join(samples, "codex/0.171.0"), join(home, ".codex"), { recursive: true })
// The samples were made in another folder.
const moveTo = (folder: string): void => {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name)
    if (statSync(path).isDirectory()) moveTo(path)
    else if (path.endsWith(".jsonl")) {
      writeFileSync(path, readFileSync(path, "utf8").replaceAll("\"/srv/shop\"", JSON.stringify(shop)))
    }
  }
}
moveTo(join(home, ".claude"))
moveTo(join(home, ".codex"))
afterAll(() => rmSync(home, { recursive: true }))

writeFileSync(join(projects, nameOf(foreign), `${foreignId}.jsonl`), userLine(foreign, secret, foreignId))
// A folder that says it is another's: what counts is where the conversation was.
writeFileSync(
  join(projects, nameOf(shop), "aaaaaaaa-0000-4000-8000-000000000003.jsonl"),
  userLine(foreign, secret, foreignId)
)
writeFileSync(
  join(home, ".codex/sessions/2026/11/28", `rollout-2026-11-28T10-00-00-${codexForeignId}.jsonl`),
  [
    {
      type: "session_meta",
      payload: { id: codexForeignId, cwd: foreign, originator: "codex-tui", source: "cli" }
    },
    { type: "event_msg", payload: { type: "user_message", message: secret } },
    { type: "event_msg", payload: { type: "agent_message", message: secret } }
  ].map((line) => `${JSON.stringify({ timestamp: "2026-11-28T10:00:00.000Z", ...line })}\n`).join("")
)
const inCodex = (id: string, ...lines: ReadonlyArray<object>) =>
  writeFileSync(
    join(home, ".codex/sessions/2026/11/28", `rollout-2026-11-28T10-00-00-${id}.jsonl`),
    lines.map((line) => `${JSON.stringify({ timestamp: "2026-11-28T10:00:00.000Z", ...line })}\n`).join("")
  )
inCodex(codexCopyId, {
  type: "session_meta",
  payload: {
    id: codexCopyId,
    cwd: shop,
    history_base: { thread_id: codexForeignId, end_ordinal_exclusive: 99 }
  }
}, { type: "event_msg", payload: { type: "user_message", message: "said in the copy" } })
writeFileSync(
  join(home, ".codex/sessions/2026/11/28", `rollout-2026-11-28T10-00-00-${codexPackedId}.jsonl.zst`),
  "packed"
)
writeFileSync(join(home, "outside.jsonl"), userLine(shop, secret, linkedId))
symlinkSync(join(home, "outside.jsonl"), join(projects, nameOf(shop), `${linkedId}.jsonl`))
writeFileSync(
  join(projects, nameOf(shop), "aaaaaaaa-0000-4000-8000-000000000004.jsonl"),
  userLine(shop, `\u001b[31muse ${apiKey}\u001b[0m\u202e`, "aaaaaaaa-0000-4000-8000-000000000004")
)

const native = NativeDisk.make({ home, variables: {} })
const options = { native_files: native, roots: [shop] }

interface Answer {
  readonly status: number
  // Tests look at what they asked for.
  // oxlint-disable-next-line no-explicit-any
  readonly body: any
  readonly text: string
}

const get = async ({ port }: Relay, path: string): Promise<Answer> => {
  const response = await fetch(`http://127.0.0.1:${port}${path}`)
  const text = await response.text()
  return { status: response.status, body: JSON.parse(text), text }
}

describe("GET /native-sessions", () => {
  test("lists what was said in folders of the roots, of all agents, newest first", async (relay) => {
    const { body, status } = await get(relay, "/native-sessions")
    assert.strictEqual(status, 200)
    assert.deepStrictEqual([...new Set(body.sessions.map(({ tool }: { tool: string }) => tool))].toSorted(), [
      "claude",
      "codex"
    ])
    const one = body.sessions.find((session: { native_session_id: string }) =>
      session.native_session_id === shopId
    )
    assert.include(one, {
      tool: "claude",
      folder: shop,
      title: "shop-mending",
      title_by: "user",
      branch: "master",
      origin: "terminal"
    })
    assert.deepStrictEqual(one.continue_with, {
      folder: shop,
      argv: ["claude", "--resume", shopId],
      shell: `cd -- ${shop} && claude --resume ${shopId}`
    })
    assert.isUndefined(one.open)
  }, options)

  test("filters by agent, folder and words, and goes on page by page", async (relay) => {
    const codex = await get(relay, "/native-sessions?tool=codex")
    assert.isTrue(codex.body.sessions.every(({ tool }: { tool: string }) => tool === "codex"))
    const found = await get(relay, "/native-sessions?q=SHOP%20mending&tool=codex")
    assert.strictEqual(found.body.sessions.length, 2)
    assert.strictEqual(
      (await get(relay, `/native-sessions?folder=${encodeURIComponent(foreign)}`)).status,
      404
    )

    const whole = (await get(relay, "/native-sessions")).body.sessions
    const pages: Array<unknown> = []
    for (let cursor = "";;) {
      const { body } = await get(relay, `/native-sessions?limit=2${cursor}`)
      pages.push(...body.sessions)
      assert.isAtMost(body.sessions.length, 2)
      if (body.next_cursor === undefined) break
      cursor = `&cursor=${encodeURIComponent(body.next_cursor)}`
    }
    const ids = (sessions: ReadonlyArray<unknown>) =>
      sessions.map((session) => (session as { native_session_id: string }).native_session_id)
    assert.deepStrictEqual(ids(pages), ids(whole))
  }, options)

  test(
    "goes on page by page where files are older than any clock, and lists a moved one once",
    async (relay) => {
      const ids = [5, 6, 7].map((place) => `aaaaaaaa-0000-4000-8000-00000000000${place}`)
      const paths = ids.map((id) => join(projects, nameOf(shop), `${id}.jsonl`))
      const left = join(projects, `${nameOf(shop)}-before`)
      /** Node takes a number below 0 as now, but not a date. */
      const setTime = (path: string, seconds: number) =>
        utimesSync(path, new Date(seconds * 1000), new Date(seconds * 1000))
      mkdirSync(left)
      for (const [place, id] of ids.entries()) {
        writeFileSync(paths[place] ?? "", userLine(shop, "ancient", id))
        setTime(paths[place] ?? "", -1000 - place)
      }
      cpSync(paths[0] ?? "", join(left, `${ids[0]}.jsonl`))
      setTime(join(left, `${ids[0]}.jsonl`), -5000)
      try {
        const told: Array<string> = []
        let cursor: string | undefined = ""
        while (cursor !== undefined && told.length < 9) {
          const { body } = await get(
            relay,
            `/native-sessions?q=ancient&limit=1&cursor=${encodeURIComponent(cursor)}`
          )
          told.push(
            ...body.sessions.map((listing: { native_session_id: string }) => listing.native_session_id)
          )
          cursor = body.next_cursor
        }
        assert.deepStrictEqual(told, ids)
      } finally {
        for (const path of [...paths, left]) rmSync(path, { recursive: true })
      }
    },
    options
  )

  test("tells messages and tokens of one", async (relay) => {
    const { body } = await get(relay, `/native-sessions/claude/${shopId}`)
    assert.deepInclude(body, {
      prompts: 21,
      messages: 56,
      tokens: { input: 77964, output: 424, cached: 165 }
    })
  }, options)

  test("cuts secrets and control characters out of titles", async (relay) => {
    const { body, text } = await get(relay, "/native-sessions?q=aaaaaaaa-0000-4000-8000-000000000004")
    assert.strictEqual(body.sessions[0].title, "use [REDACTED]")
    assert.notInclude(text, apiKey)
    assert.notInclude(text, "\\u001b")
  }, options)

  test("is empty where it is switched off", async (relay) => {
    assert.deepStrictEqual((await get(relay, "/native-sessions")).body, { sessions: [], agents: [] })
    assert.strictEqual((await get(relay, `/native-sessions/claude/${shopId}/events`)).status, 404)
  }, { ...options, no_native_sessions: true })
})

describe("what never comes out", () => {
  test("a secret of a folder that is not allowed, by whatever way it is asked for", async (relay) => {
    const ids = [
      foreignId,
      linkedId,
      "aaaaaaaa-0000-4000-8000-000000000003",
      `..%2F${nameOf(foreign)}%2F${foreignId}`,
      "..",
      "%00"
    ]
    const paths = [
      "/native-sessions",
      `/native-sessions?q=${secret}`,
      `/native-sessions?q=${foreignId}`,
      ...ids.flatMap((id) => [`/native-sessions/claude/${id}`, `/native-sessions/claude/${id}/events`]),
      `/native-sessions/codex/${foreignId}/events`
    ]
    for (const path of paths) {
      const { text } = await get(relay, path)
      assert.notInclude(text, secret, path)
      assert.notInclude(text, `${nameOf(foreign)}/`, path)
    }
    for (const id of ids) {
      assert.strictEqual((await get(relay, `/native-sessions/claude/${id}/events`)).status, 404, id)
    }
  }, options)

  /** Every way to open a conversation, as one who may only work in the shop. */
  const openAll = async (relay: Relay, tool: string, id: string) => {
    const ways: ReadonlyArray<object> = [
      {},
      { history: true },
      { history: "all" },
      { history: "recent", if_open: "follow" },
      { follow: true },
      { follow: true, history: true },
      { fork: true, history: true },
      { if_open: "fork", history: true },
      { if_open: "join", history: true }
    ]
    for (
      const folder of [{ folder: shop }, {}, { folder: `${shop}/../shop` }, {
        folder: join(foreign, "../shop")
      }]
    ) {
      for (const way of ways) {
        const client = await relay.connect({ tool, native_session_id: id, ...folder, ...way })
        const { text, type } = await client.waitFor((event) =>
          ["error", "session_start"].includes(event.type)
        )
        const asked = `${tool} ${JSON.stringify({ ...folder, ...way })}`
        assert.strictEqual(type, "error", asked)
        assert.match(text, /has no conversation|is outside /, asked)
        await client.closed
        assert.notInclude(JSON.stringify(client.events), secret, asked)
      }
    }
    // The agent was not even started: it would tell what it finds.
    assert.lengthOf(relay.fake.agents, 0)
  }

  test(
    "Claude's is not gone on with, followed or copied by who names it",
    (relay) => openAll(relay, "claude", foreignId),
    { ...options, tool: "claude" }
  )

  test(
    "nor is Codex', which goes on with any conversation in whatever folder it is started",
    (relay) => openAll(relay, "codex", codexForeignId),
    { ...options, tool: "codex" }
  )

  test(
    "nor by its id written another way",
    async (relay) => {
      const digits = codexForeignId.replaceAll("-", "")
      for (const id of [codexForeignId.toUpperCase(), digits, `urn:uuid:${codexForeignId}`]) {
        const client = await relay.connect({ tool: "codex", native_session_id: id, folder: shop })
        assert.match((await client.waitFor("error")).text, /has no conversation/, id)
      }
      assert.lengthOf(relay.fake.agents, 0)
    },
    { ...options, tool: "codex" }
  )

  test(
    "nor where the relay lists none, nor what Codex has packed",
    async (relay) => {
      for (const id of [codexForeignId, codexPackedId]) {
        const client = await relay.connect({ tool: "codex", native_session_id: id, folder: shop })
        assert.match((await client.waitFor("error")).text, /has no conversation/, id)
      }
      assert.lengthOf(relay.fake.agents, 0)
    },
    { ...options, tool: "codex", no_native_sessions: true }
  )

  for (const [tool, id] of [["codex-acp", codexForeignId], ["claude-agent-acp", foreignId]] as const) {
    test(
      `nor by ${tool}, which has the same conversations`,
      async (relay) => {
        for (const way of [{}, { history: "all" }, { fork: true }]) {
          const client = await relay.connect({ tool, native_session_id: id, folder: shop, ...way })
          assert.match((await client.waitFor("error")).text, /has no conversation/)
        }
        assert.lengthOf(relay.fake.agents, 0)
      },
      { ...options, tool }
    )
  }

  test("nor in a copy that was made of it in the shop", async (relay) => {
    const { body, text } = await get(relay, `/native-sessions/codex/${codexCopyId}/events`)
    assert.include(text, "said in the copy")
    assert.notInclude(text, secret)
    assert.isUndefined(body.before)
  }, options)

  test("but where the folder is allowed, it is there", async (relay) => {
    const { text } = await get(relay, `/native-sessions/claude/${foreignId}/events`)
    assert.include(text, secret)
  }, { native_files: native, roots: [home] })
})

describe("GET /native-sessions/TOOL/ID/events", () => {
  test("gives the last turns, and page by page all that was said before", async (relay) => {
    const path = `/native-sessions/claude/${shopId}/events`
    const whole = (await get(relay, `${path}?limit=200`)).body
    assert.isUndefined(whole.before)
    let told: ReadonlyArray<unknown> = []
    for (let before = "";;) {
      const { body } = await get(relay, `${path}?limit=3${before}`)
      assert.strictEqual(
        body.events.filter(({ type }: { type: string }) => type === "turn_start").length <= 4,
        true
      )
      told = [...body.events, ...told]
      if (body.before === undefined) break
      before = `&before=${body.before}`
    }
    assert.deepStrictEqual(told, whole.events)
    assert.isTrue(
      whole.events.every((event: { ts: number; metadata: { history: boolean } }) =>
        event.ts > 0 && event.metadata.history
      )
    )
  }, options)

  test("shows what was written a moment ago", async (relay) => {
    const id = "aaaaaaaa-0000-4000-8000-000000000005"
    const path = join(projects, nameOf(shop), `${id}.jsonl`)
    writeFileSync(path, userLine(shop, "first words", id))
    const first = await get(relay, `/native-sessions/claude/${id}/events`)
    assert.include(first.text, "first words")
    appendFileSync(
      path,
      userLine(shop, "later words", id).replace(
        "\"parentUuid\":null",
        "\"parentUuid\":\"11111111-0000-4000-8000-000000000001\""
      )
        .replace(
          "11111111-0000-4000-8000-000000000001\",\"parent",
          "11111111-0000-4000-8000-000000000002\",\"parent"
        ) + "{\"torn"
    )
    const second = await get(relay, `/native-sessions/claude/${id}/events`)
    assert.include(second.text, "later words")
  }, options)
})
