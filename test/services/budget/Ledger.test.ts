import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it, vi } from "vitest"
import { make } from "../../../src/services/budget/Budgets.js"
import { onDisk } from "../../../src/services/budget/DiskLedger.js"
import { type Entry, inMemory, type Ledger } from "../../../src/services/budget/Ledger.js"
import { nothing } from "../../../src/services/budget/Spend.js"
import * as SessionLock from "../../../src/services/journal/SessionLock.js"

const entry = (changes: Partial<Entry> = {}): Entry => ({
  session_id: "s",
  turn: 1,
  ts: 1,
  day: "2026-11-28",
  tool: "claude",
  folder: "/srv/shop",
  model: "opus",
  spend: { ...nothing, turns: 1, cost_usd: 1, input_tokens: 10 },
  priced: "agent",
  ...changes
})
const folder = () => mkdtempSync(join(tmpdir(), "ledger-"))
const nobody = () => false

describe("Ledger", () => {
  it("counts a turn once, however often it says what it has used", () => {
    const ledger = inMemory()
    ledger.record(entry({ open: { cost_usd: 0.5 }, spend: { ...nothing, turns: 1, cost_usd: 0.5 } }))
    ledger.record(entry({ open: { cost_usd: 0.7 }, spend: { ...nothing, turns: 1, cost_usd: 0.7 } }))
    assert.strictEqual(ledger.total("day:2026-11-28").cost_usd, 0.7)
    assert.strictEqual(ledger.usage("session")[0]?.open_cost_usd, 0.7)
    ledger.record(entry())
    ledger.record(entry({ turn: 2, token: "phone" }))
    assert.strictEqual(ledger.total("session:s").cost_usd, 2)
    assert.strictEqual(ledger.total("token:phone").turns, 1)
    assert.deepStrictEqual(
      ledger.usage("token").map(({ cost_usd, name, turns }) => [name, cost_usd, turns]),
      [[null, 1, 1], ["phone", 1, 1]]
    )
  })

  it("remembers all of it after a crash, and what an unfinished turn had used", () => {
    const place = folder()
    const first = onDisk({ folder: place, relay: "1-a", isAlive: nobody })
    first.record(entry())
    first.record(entry({ turn: 2, open: { cost_usd: 3 }, spend: { ...nothing, turns: 1, cost_usd: 3 } }))
    first.raise("session:s.cost_usd", 9, 5)
    first.lower("s", { session: { turns: 4 } })
    const second = onDisk({ folder: place, relay: "2-b", isAlive: nobody })
    assert.strictEqual(second.total("session:s").cost_usd, 4)
    assert.deepStrictEqual(second.openTurn("s")?.open, { cost_usd: 3 })
    assert.strictEqual(second.raised("session:s.cost_usd", 5), 9)
    assert.deepStrictEqual(second.lowered("s"), { session: { turns: 4 } })
    second.settle("s", 5)
    const third = onDisk({ folder: place, relay: "3-c", isAlive: nobody })
    assert.isUndefined(third.openTurn("s"))
    assert.strictEqual(third.total("session:s").cost_usd, 4)
    assert.strictEqual(third.usage("day")[0]?.turns, 2)
  })

  it("writes what a running turn tells a little later, the last word only", () => {
    const place = folder()
    const ledger = onDisk({ folder: place, relay: "1-a", isAlive: nobody })
    const lines = () => {
      const [name] = readdirSync(place)
      return name === undefined ? [] : readFileSync(join(place, name), "utf8").trim().split("\n")
    }
    for (let cost = 1; cost <= 1000; cost += 1) {
      ledger.record(entry({ open: { cost_usd: cost }, spend: { ...nothing, turns: 1, cost_usd: cost } }))
    }
    assert.deepStrictEqual(lines(), [])
    assert.strictEqual(ledger.total("session:s").cost_usd, 1000)
    ledger.record(entry({ session_id: "t" }))
    assert.lengthOf(lines(), 2)
    ledger.record(entry({ spend: { ...nothing, turns: 1, cost_usd: 1001 } }))
    ledger.close()
    const again = onDisk({ folder: place, relay: "2-b", isAlive: nobody })
    assert.strictEqual(again.total("session:s").cost_usd, 1001)
    assert.isUndefined(again.openTurn("s"))
  })

  it("writes it without anybody asking", async () => {
    const place = folder()
    const ledger = onDisk({ folder: place, relay: "1-a", isAlive: nobody })
    ledger.record(entry({ open: { cost_usd: 3 }, spend: { ...nothing, turns: 1, cost_usd: 3 } }))
    await vi.waitFor(() => assert.lengthOf(readdirSync(place), 1), 20_000)
    const again = onDisk({ folder: place, relay: "2-b", isAlive: nobody })
    assert.deepStrictEqual(again.openTurn("s")?.open, { cost_usd: 3 })
    ledger.close()
  })

  it("folds the files of dead relays into one, and counts nothing twice when it is cut off in between", () => {
    const place = folder()
    for (const relay of ["1-a", "2-b", "3-c", "4-d"]) {
      onDisk({ folder: place, relay, isAlive: nobody }).record(entry({ session_id: relay }))
    }
    const ledger = onDisk({ folder: place, relay: "5-e", isAlive: nobody })
    assert.strictEqual(ledger.total("day:2026-11-28").cost_usd, 4)
    assert.isAtMost(readdirSync(place).length, 2)
    assert.strictEqual(
      onDisk({ folder: place, relay: "6-f", isAlive: nobody }).total("day:2026-11-28").turns,
      4
    )
  })

  it("leaves the files of relays that run alone", () => {
    const place = folder()
    const other = onDisk({ folder: place, relay: "1-a", isAlive: nobody })
    other.record(entry())
    onDisk({ folder: place, relay: "2-b", isAlive: nobody }).record(entry({ session_id: "t" }))
    onDisk({ folder: place, relay: "3-c", isAlive: (relay) => relay === "1-a" })
    other.record(entry({ turn: 2 }))
    assert.strictEqual(
      onDisk({ folder: place, relay: "4-d", isAlive: nobody }).total("day:2026-11-28").turns,
      3
    )
  })

  it("counts a turn once whose end is dated before its beginning, because the clock was set back", () => {
    const place = folder()
    const ledger = onDisk({ folder: place, relay: "1-a", isAlive: nobody })
    const spend = { ...nothing, turns: 1, cost_usd: 3 }
    ledger.record(entry({ ts: 1000, began: 1000, open: { cost_usd: 3 }, spend }))
    // Something else that is written in between has it written, too.
    ledger.record(entry({ session_id: "t", ts: 1001 }))
    ledger.record(entry({ ts: 500, began: 1000, ended: { cost_usd: 3 }, spend }))
    const again = onDisk({ folder: place, relay: "2-b", isAlive: nobody })
    assert.strictEqual(again.total("session:s").cost_usd, 3)
    assert.isUndefined(again.openTurn("s"))
  })

  it("takes back what somebody allowed more when the operator lowers the budget, and only then", () => {
    const place = folder()
    const capOf = (cap: number, act = (_: ReturnType<ReturnType<typeof make>["open"]>) => {}) => {
      const ledger = onDisk({ folder: place, relay: `${cap}-a`, isAlive: nobody })
      const book = make(
        { rules: [{ scope: "folder", unit: "cost_usd", cap }], prices: {}, warn_pct: 80 },
        ledger,
        () => 0
      )
      const account = book.open({ session_id: "s", tool: "claude", folder: "/srv/shop" }, () => {})
      act(account)
      const [standing] = account.standings()
      ledger.close()
      return standing?.cap
    }
    const allowMore = (account: ReturnType<ReturnType<typeof make>["open"]>) => {
      const [standing] = account.standings()
      if (standing !== undefined) account.raise(standing, 10)
    }
    assert.strictEqual(capOf(10, allowMore), 20)
    assert.strictEqual(capOf(10), 20)
    assert.strictEqual(capOf(12), 20)
    assert.strictEqual(capOf(5), 5)
    assert.strictEqual(capOf(5, allowMore), 15)
    assert.strictEqual(capOf(30), 30)
  })

  it("keeps the lowest budget and the highest raise, whichever relay wrote them", () => {
    const place = folder()
    for (const [relay, turns, cap] of [["3-c", 9, 5], ["1-a", 4, 20], ["2-b", 6, 10]] as const) {
      const line = (value: object) => JSON.stringify(value) + "\n"
      writeFileSync(
        join(place, `${relay}.ndjson`),
        line({ session_id: "s", budget: { session: { turns } } }) + line({ raise: "session:s.turns", cap })
      )
    }
    const ledger = onDisk({ folder: place, relay: "4-d", isAlive: nobody })
    assert.strictEqual(ledger.lowered("s")?.session?.turns, 4)
    assert.strictEqual(ledger.raised("session:s.turns", 1), 20)
  })

  it("leaves out damaged lines and files, and counts the others", () => {
    const place = folder()
    const good = JSON.stringify(entry())
    const bad = [
      { ...entry(), spend: { ...nothing, cost_usd: null } },
      { ...entry(), spend: { turns: 1 } },
      { ...entry(), session_id: 7 },
      { ...entry(), ended: "x" },
      { spend: null },
      { raise: "day:2026-11-28.cost_usd", cap: null },
      { session_id: "s", budget: { session: { turns: "many" } } },
      { merged: "2-b.ndjson" },
      []
    ].map((line) => JSON.stringify(line))
    writeFileSync(
      join(place, "1-a.ndjson"),
      [good, ...bad, "\0".repeat(3_000_000), "{", good.slice(0, 40), good].join("\n")
    )
    mkdirSync(join(place, "2-b.ndjson"))
    symlinkSync("loop.ndjson", join(place, "loop.ndjson"))
    const warnings: Array<string> = []
    const ledger = onDisk({
      folder: place,
      relay: "3-c",
      isAlive: nobody,
      warn: (text) => void warnings.push(text)
    })
    assert.strictEqual(ledger.total("day:2026-11-28").cost_usd, 2)
    assert.strictEqual(ledger.raised("day:2026-11-28.cost_usd", 1), 0)
    assert.lengthOf(warnings, 3)
    assert.match(warnings.join(), /2-b\.ndjson cannot be read and is not counted/)
    assert.match(warnings.join(), /12 lines of .*1-a\.ndjson are damaged, and their usage is not counted/)
    ledger.close()
    writeFileSync(join(place, "4-d.ndjson"), `${good}\n`)
    onDisk({ folder: place, relay: "5-e", isAlive: nobody }).close()
    assert.include(
      readFileSync(join(place, "1-a.ndjson"), "utf8"),
      "many",
      "it is not merged, which would remove them"
    )
  })

  it("shortens its file to sums, and counts the same when it is read again", () => {
    const place = folder()
    const before = onDisk({ folder: place, relay: "1-a", isAlive: nobody })
    before.record(entry({ session_id: "old", turn: 6, open: { cost_usd: 1 } }))
    before.close()
    const ledger = onDisk({ folder: place, relay: "2-b", isAlive: nobody, most_bytes: 5000 })
    for (let turn = 1; turn <= 200; turn += 1) {
      ledger.record(entry({ turn, ts: turn, open: {}, spend: { ...nothing, turns: 1 } }))
      ledger.record(entry({ turn, ts: turn, ended: { cost_usd: 1 } }))
      if (turn === 20) ledger.settle("old", 20)
      if (turn > 20 && turn < 30) ledger.record(entry({ session_id: "old", turn, ts: turn, open: {} }))
      if (turn > 20 && turn < 30) ledger.record(entry({ session_id: "old", turn, ts: turn }))
    }
    ledger.record(entry({ session_id: "u", open: { cost_usd: 1 } }))
    ledger.raise("session:s.cost_usd", 9, 5)
    assert.isBelow(statSync(join(place, "2-b.ndjson")).size, 8000)
    const again = onDisk({ folder: place, relay: "3-c", isAlive: nobody })
    for (const key of ["session:s", "session:old", "session:u", "day:2026-11-28"]) {
      assert.deepStrictEqual(again.total(key), ledger.total(key), key)
    }
    assert.deepStrictEqual(again.usage("session"), ledger.usage("session"))
    assert.strictEqual(again.raised("session:s.cost_usd", 5), 9)
    assert.deepStrictEqual(again.openTurn("u")?.open, { cost_usd: 1 })
    assert.deepStrictEqual(again.lastTurn("s")?.ended, { cost_usd: 1 })
  })

  it("writes what a full disk refused once there is space", () => {
    const place = folder()
    const file = join(place, "1-a.ndjson")
    symlinkSync("/dev/full", file)
    const ledger = onDisk({ folder: place, relay: "1-a", isAlive: nobody })
    ledger.record(entry())
    ledger.record(entry({ turn: 2 }))
    assert.match(ledger.trouble() ?? "", /ENOSPC/)
    assert.strictEqual(ledger.total("session:s").turns, 2)
    rmSync(file)
    ledger.record(entry({ turn: 3 }))
    assert.isUndefined(ledger.trouble())
    assert.strictEqual(onDisk({ folder: place, relay: "2-b", isAlive: nobody }).total("session:s").turns, 3)
  })

  it("is written anew when somebody has deleted it", () => {
    const place = folder()
    const ledger = onDisk({ folder: place, relay: "1-a", isAlive: nobody })
    ledger.record(entry({ open: {} }))
    ledger.record(entry())
    rmSync(place, { recursive: true })
    ledger.record(entry({ turn: 2 }))
    assert.strictEqual(onDisk({ folder: place, relay: "2-b", isAlive: nobody }).total("session:s").turns, 2)
  })

  it("is merged by one of two relays that start together", () => {
    const place = folder()
    for (const relay of ["1-a", "2-b"]) {
      onDisk({ folder: place, relay, isAlive: nobody }).record(entry({ session_id: relay }))
    }
    // The other one is about to merge.
    const lock = SessionLock.acquire(place, "8-h", (relay) => relay === "8-h")
    const ledger = onDisk({ folder: place, relay: "9-i", isAlive: (relay) => relay === "8-h" })
    assert.strictEqual(ledger.total("day:2026-11-28").turns, 2)
    assert.isEmpty(readdirSync(place).filter((name) => name.startsWith("archive-")))
    if (typeof lock === "object") lock.release()
    onDisk({ folder: place, relay: "10-j", isAlive: nobody })
    assert.lengthOf(readdirSync(place).filter((name) => name.startsWith("archive-")), 1)
  })
})

const settings = { rules: [], prices: {}, warn_pct: 80, time_zone: "UTC" }
const owner = { session_id: "s", tool: "claude", folder: "/srv/shop" }

describe("minutes of work", () => {
  it("are measured, whatever the clock is set to meanwhile", () => {
    const ledger = inMemory()
    let [now, elapsed] = [0, 0]
    const account = make(settings, ledger, () => now, () => elapsed).open(owner, () => {})
    for (const jump of [2, -3]) {
      account.beginTurn(1, undefined)
      now += jump * 3_600_000
      elapsed += 60_000
      account.endTurn(undefined)
    }
    assert.strictEqual(ledger.total("session:s").minutes, 2)
  })
})

describe("a turn that was cut off with its relay", () => {
  const after = (ledger: Ledger, turn: number) => {
    const usage = make(settings, ledger, () => 0).open(owner, () => {}).settle(turn)
    return { usage, turns: ledger.total("session:s").turns, cost: ledger.total("session:s").cost_usd }
  }

  it("gets what it had told", () => {
    const ledger = inMemory()
    ledger.record(entry({ open: { cost_usd: 3 }, spend: { ...nothing, turns: 1, cost_usd: 3 } }))
    assert.deepStrictEqual(after(ledger, 1), { usage: { cost_usd: 3 }, turns: 1, cost: 3 })
    // Once more, because the end of that turn was lost as well.
    assert.deepStrictEqual(after(ledger, 1), { usage: { cost_usd: 3 }, turns: 1, cost: 3 })
  })

  it("gets what it had told to a relay that ran beside this one", () => {
    for (const last of [{ open: { cost_usd: 3 } }, { ended: { cost_usd: 3 } }]) {
      const place = folder()
      const dead = onDisk({ folder: place, relay: "1-a", isAlive: nobody })
      dead.record(
        entry({ turn: 2, began: 1, open: { cost_usd: 1 }, spend: { ...nothing, turns: 1, cost_usd: 1 } })
      )
      dead.record(entry({ session_id: "t" }))
      const ledger = onDisk({ folder: place, relay: "2-b", isAlive: nobody })
      dead.record(entry({ turn: 2, began: 1, ...last, spend: { ...nothing, turns: 1, cost_usd: 3 } }))
      dead.close()
      assert.deepStrictEqual(after(ledger, 2), { usage: { cost_usd: 3 }, turns: 1, cost: 3 })
      assert.deepStrictEqual(after(ledger, 2), { usage: { cost_usd: 3 }, turns: 1, cost: 3 })
      const again = onDisk({ folder: place, relay: "3-c", isAlive: nobody })
      assert.strictEqual(again.total("session:s").cost_usd, 3)
    }
  })

  it("gets its last word, if only its end was lost", () => {
    const ledger = inMemory()
    ledger.record(entry())
    ledger.record(entry({ turn: 2, ended: { cost_usd: 2 }, spend: { ...nothing, turns: 1, cost_usd: 2 } }))
    assert.deepStrictEqual(after(ledger, 2), { usage: { cost_usd: 2 }, turns: 2, cost: 3 })
  })

  it("is counted as a turn, if it was killed before anything of it was written", () => {
    const ledger = inMemory()
    ledger.record(entry())
    assert.deepStrictEqual(after(ledger, 2), { usage: undefined, turns: 2, cost: 1 })
    assert.deepStrictEqual(after(ledger, 2), { usage: {}, turns: 2, cost: 1 })
  })
})
