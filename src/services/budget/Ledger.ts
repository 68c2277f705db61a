/**
 * Ledger: the usage of every turn, its sums, and the caps that were raised or lowered. In memory here; `DiskLedger` writes it to
 * disk.
 */
import type { Budget } from "../../schema/Budget.js"
import type { Usage } from "../../schema/index.js"
import { lower } from "./lower.js"
import { add, nothing, type Spend, subtract } from "./Spend.js"

/** Where the cost comes from: the agent, the operator's table, or nowhere (then `cost_usd` is 0 and only tokens are known). */
export type Priced = "agent" | "table" | "none"

/** The usage of one turn, or of several similar ones together. */
export interface Entry {
  readonly session_id: string
  /** The turn's number in its session; the last one's for several turns. */
  readonly turn: number
  /** Unix time in seconds of the last change. */
  readonly ts: number
  /** Unix time in seconds of its beginning, which tells it from a turn of the same number; older files lack it. */
  readonly began?: number | undefined
  /** `2026-11-28`, in the operator's time zone. */
  readonly day: string
  readonly tool: string
  readonly folder: string
  readonly model?: string | undefined
  /** Name of the access token that sent the prompt. */
  readonly token?: string | undefined
  readonly spend: Spend
  readonly priced: Priced
  /** Usage of a turn that has not ended. */
  readonly open?: Usage | undefined
  /** Usage of a turn that has ended, as in its `turn_end`, which may have been lost with the relay. */
  readonly ended?: Usage | undefined
}

/** A cap that somebody raised. `raise` names scope, owner and unit. */
interface Raise {
  readonly raise: string
  readonly cap: number
  /** What it was before; older files lack it. */
  readonly of?: number | undefined
}

/** Caps that clients have lowered for a session. */
interface Lowered {
  readonly session_id: string
  readonly budget: Budget
}

/** The first line of an archive: the files merged into it, which no longer count. */
interface Header {
  readonly merged: ReadonlyArray<string>
}

/** One line of a file. */
export type Line = Entry | Raise | Lowered | Header

export const dimensions = ["session", "folder", "token", "agent", "model", "day"] as const
export type Dimension = typeof dimensions[number]

/** One line of `GET /usage`: sums over all turns with the same value of the dimension. */
export interface UsageRow extends Spend {
  /** The session's id, the folder, …; `null` for turns without one, such as turns without a token. */
  readonly name: string | null
  /** The part of the cost that belongs to turns which have not ended. */
  readonly open_cost_usd: number
  /** Turns without a cost from the agent or a price in the operator's table. */
  readonly unpriced_turns: number
}

export interface Ledger {
  /** Writes a turn's total usage so far. */
  readonly record: (entry: Entry) => void
  /** The session's unfinished turn, as far as reported. */
  readonly openTurn: (session_id: string) => Entry | undefined
  /** The session's last finished turn. */
  readonly lastTurn: (session_id: string) => Entry | undefined
  /** Takes what another relay, dead since, has written of this turn after this one read its file. */
  readonly recall: (session_id: string, turn: number) => void
  /** Marks a turn as ended whose relay was killed. */
  readonly settle: (session_id: string, ts: number) => void
  /** Total usage under a key such as `day:2026-11-28`. */
  readonly total: (key: string) => Spend
  /** `of`: the cap as it was set. */
  readonly raise: (key: string, cap: number, of: number) => void
  /** What a cap was raised to that is set to `of` now; 0 if it was not, or was lowered since. */
  readonly raised: (key: string, of: number) => number
  readonly lower: (session_id: string, budget: Budget) => void
  readonly lowered: (session_id: string) => Budget | undefined
  /** Sums by one dimension, the largest first; `since` and `until` are days, both inclusive. */
  readonly usage: (by: Dimension, since?: string, until?: string) => ReadonlyArray<UsageRow>
  /** Why usage cannot be written at the moment; undefined if it can. Counting continues in memory. */
  readonly trouble: () => string | undefined
  /** Writes what waits and closes the file. */
  readonly close: () => void
}

const ownKeys = ({ day, folder, session_id, token }: Entry): ReadonlyArray<string> => [
  `session:${session_id}`,
  `folder:${folder}`,
  `day:${day}`,
  ...token === undefined ? [] : [`token:${token}`]
]

const kindOf = ({ day, folder, model = "", priced, session_id, token = "", tool }: Entry): string =>
  JSON.stringify([day, session_id, tool, model, folder, token, priced])

const valueOf = (by: Dimension, entry: Entry): string | null =>
  by === "session"
    ? entry.session_id
    : by === "agent"
    ? entry.tool
    : by === "folder"
    ? entry.folder
    : by === "day"
    ? entry.day
    : entry[by] ?? null

/** The sums in memory, folded from lines. */
export const makeBook = () => {
  const settled = new Map<string, Entry>()
  const open = new Map<string, Entry>()
  const totals = new Map<string, Spend>()
  /** What caps were raised to, by key and what they were set to. */
  const raises = new Map<string, Map<number, number>>()
  const budgets = new Map<string, Budget>()
  const last = new Map<string, Entry>()

  const count = (entry: Entry, change: typeof add) => {
    for (const key of ownKeys(entry)) totals.set(key, change(totals.get(key) ?? nothing, entry.spend))
  }

  const close = ({ open: told, ...entry }: Entry) => {
    const whole = told === undefined ? entry : { ...entry, ended: told }
    const kind = kindOf(whole)
    const before = settled.get(kind)
    settled.set(kind, before === undefined ? whole : { ...whole, spend: add(before.spend, whole.spend) })
    if ((last.get(whole.session_id)?.turn ?? 0) <= whole.turn) last.set(whole.session_id, whole)
  }

  const take = (entry: Entry) => {
    const { session_id, turn } = entry
    const before = open.get(session_id)
    // The clock was set back between the turn's beginning and its end, so they were read in the wrong order.
    if (entry.open !== undefined && hasEnded(entry)) return
    if (before !== undefined && entry.open !== undefined && isSame(before, entry)) {
      const more = subtract(entry.spend, before.spend)
      for (const key of ownKeys(entry)) totals.set(key, add(totals.get(key) ?? nothing, more))
      open.set(session_id, entry)
      return
    }
    if (before !== undefined) {
      open.delete(session_id)
      if (before.turn === turn) count(before, subtract)
      // Its relay was killed, and the session was not opened since.
      else close(before)
    }
    count(entry, add)
    if (entry.open === undefined) close(entry)
    else open.set(session_id, entry)
  }

  const hasEnded = ({ began, session_id, turn }: Entry) => {
    const ended = last.get(session_id)
    return began !== undefined && ended?.turn === turn && ended.began === began
  }

  const takeRaise = ({ cap, of = 0, raise }: Raise) => {
    const known = raises.get(raise) ?? new Map<number, number>()
    raises.set(raise, known.set(of, Math.max(cap, known.get(of) ?? 0)))
  }

  /** Caps are only raised, and those of clients only lowered, in whatever order several relays wrote them. */
  const fold = (line: Line) => {
    if ("spend" in line) take(line)
    else if ("raise" in line) takeRaise(line)
    else if ("budget" in line) {
      const before = budgets.get(line.session_id)
      budgets.set(line.session_id, before === undefined ? line.budget : lower(before, line.budget))
    }
  }

  /** Lines from which the same sums come. */
  const lines = (): ReadonlyArray<Line> => [
    ...settled.values(),
    ...open.values(),
    ...[...raises].flatMap(([raise, known]) => Array.from(known, ([of, cap]) => ({ raise, cap, of }))),
    ...Array.from(budgets, ([session_id, budget]) => ({ session_id, budget }))
  ]

  return { settled, open, totals, raises, budgets, last, fold, lines }
}

/** Whether two entries are of the same turn and count in the same sums. */
export const isSame = (left: Entry, right: Entry) =>
  left.turn === right.turn && left.day === right.day && left.token === right.token
  && left.folder === right.folder

const usageOf = (
  entries: Iterable<Entry>,
  by: Dimension,
  since = "",
  until = "9999"
): ReadonlyArray<UsageRow> => {
  const rows = new Map<string | null, UsageRow>()
  for (const entry of entries) {
    if (entry.day < since || entry.day > until) continue
    const name = valueOf(by, entry)
    const before = rows.get(name) ?? { ...nothing, name, open_cost_usd: 0, unpriced_turns: 0 }
    rows.set(name, {
      ...before,
      ...add(before, entry.spend),
      open_cost_usd: before.open_cost_usd + (entry.open === undefined ? 0 : entry.spend.cost_usd),
      unpriced_turns: before.unpriced_turns + (entry.priced === "none" ? entry.spend.turns : 0)
    })
  }
  return [...rows.values()].toSorted((left, right) =>
    right.cost_usd - left.cost_usd || right.output_tokens - left.output_tokens
  )
}

/** The ledger of these sums; `write` takes what is added to them. */
export const over = (
  book: ReturnType<typeof makeBook>,
  write: (line: Line) => void,
  { close, recall, trouble }: Pick<Ledger, "close" | "recall" | "trouble">
): Ledger => {
  const note = (line: Line) => {
    book.fold(line)
    write(line)
  }
  return {
    record: note,
    openTurn: (session_id) => book.open.get(session_id),
    lastTurn: (session_id) => book.last.get(session_id),
    recall,
    settle: (session_id, ts) => {
      const entry = book.open.get(session_id)
      if (entry === undefined) return
      const { open, ...whole } = entry
      note({ ...whole, ts, ...(open !== undefined && { ended: open }) })
    },
    total: (key) => book.totals.get(key) ?? nothing,
    raise: (raise, cap, of) => note({ raise, cap, of }),
    raised: (key, of) =>
      Math.max(0, ...[...book.raises.get(key) ?? []].flatMap(([before, cap]) => before <= of ? [cap] : [])),
    lower: (session_id, budget) => note({ session_id, budget }),
    lowered: (session_id) => book.budgets.get(session_id),
    usage: (...query) => usageOf([...book.settled.values(), ...book.open.values()], ...query),
    trouble,
    close
  }
}

/** In memory only. */
export const inMemory = (): Ledger =>
  over(makeBook(), () => {}, { recall: () => {}, trouble: () => undefined, close: () => {} })
