import { mkdtempSync, readdirSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "vitest"
import { type Entry, inMemory, onDisk } from "../../../src/services/budget/Ledger.js"
import { nothing } from "../../../src/services/budget/Spend.js"

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
    first.raise("session:s.cost_usd", 9)
    first.lower("s", { session: { turns: 4 } })
    const second = onDisk({ folder: place, relay: "2-b", isAlive: nobody })
    assert.strictEqual(second.total("session:s").cost_usd, 4)
    assert.deepStrictEqual(second.openTurn("s")?.open, { cost_usd: 3 })
    assert.strictEqual(second.raised("session:s.cost_usd"), 9)
    assert.deepStrictEqual(second.lowered("s"), { session: { turns: 4 } })
    second.settle("s", 5)
    const third = onDisk({ folder: place, relay: "3-c", isAlive: nobody })
    assert.isUndefined(third.openTurn("s"))
    assert.strictEqual(third.total("session:s").cost_usd, 4)
    assert.strictEqual(third.usage("day")[0]?.turns, 2)
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
})
