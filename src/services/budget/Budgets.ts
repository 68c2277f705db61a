/**
 * Budgets: how much sessions may use, and how much they have used.
 *
 * The operator sets caps per turn, session, folder, access token and day; a client can lower those of its session. Each live
 * session has an account here. Usage is counted as soon as the agent reports it. When a cap is reached, all accounts under it
 * are told at once, so that fifty sessions that share a day's budget stop together.
 */
import type { Budget, Caps } from "../../schema/Budget.js"
import type { Usage } from "../../schema/index.js"
import { agentName } from "../session/Sender.js"
import type { Entry, Ledger, Priced } from "./Ledger.js"
import { lower, lowerCaps } from "./lower.js"
import { costOf, lookup, type Prices } from "./Prices.js"
import { add, amountOf, nothing, ofUsage, type Spend, type Unit, units } from "./Spend.js"

export const scopes = ["turn", "session", "folder", "token", "day"] as const
export type Scope = typeof scopes[number]

export interface Rule {
  readonly scope: Scope
  readonly unit: Unit
  readonly cap: number
}

/** A cap and its current usage. */
export interface Standing extends Rule {
  readonly spent: number
}

export interface BudgetSettings {
  readonly rules: ReadonlyArray<Rule>
  readonly prices: Prices
  /** Percentage of a cap at which clients are warned. */
  readonly warn_pct: number
  /** IANA name of the time zone in which days end; default: the machine's. */
  readonly time_zone?: string | undefined
}

/** The owner of an account. */
export interface Owner {
  readonly session_id: string
  readonly tool: string
  readonly folder: string
  readonly model?: string | undefined
}

export interface Account {
  readonly beginTurn: (turn: number, token: string | undefined) => void
  /** Sets the total usage of the running turn so far. */
  readonly use: (usage: Usage) => void
  /** Sets how full the context is, in per cent. */
  readonly fill: (context_pct: number) => void
  /** Sets the model in use. */
  readonly setModel: (model: string) => void
  /** Ends the turn with its final usage; gives it with a price. Call it before `turn_end` is logged. */
  readonly endTurn: (usage: Usage | undefined) => { readonly usage?: Usage; readonly priced: Priced }
  /** The usage of this turn, which was interrupted because its relay died. It counts as ended from now on. */
  readonly settle: (turn: number | undefined) => Usage | undefined
  /** The agent gets the turn's prompt: from now on no cap on turns concerns it, whatever other sessions begin. */
  readonly deliver: () => void
  /** The agent does not get it, unless it is delivered after all: the turn does not count as one. */
  readonly withhold: () => void
  /** The first reached cap. */
  readonly reached: () => Standing | undefined
  /** Caps that usage has come near since the last call. */
  readonly near: () => ReadonlyArray<Standing>
  /** Minutes of work until a cap is reached; Infinity without such a cap. */
  readonly minutesLeft: () => number
  readonly raise: (standing: Standing, by: number) => Standing
  /** Lowers the session's own caps. A text is an error, and nothing has changed. */
  readonly lower: (budget: Budget) => string | undefined
  /** All caps that apply, for `session_start`. */
  readonly standings: () => ReadonlyArray<Standing>
  readonly close: () => void
}

export interface Book {
  /** Opens an account. `onChange` is called when a cap may have been reached or raised by any session. */
  readonly open: (owner: Owner, onChange: () => void) => Account
  /** Says which token pays for one that was made with it. */
  readonly paying: (originOf: (token: string) => string) => void
  readonly ledger: Ledger
}

/** A client's budget as rules. */
const rulesOf = (budget: Budget | undefined): ReadonlyArray<Rule> =>
  (["turn", "session"] as const).flatMap((scope) => {
    const caps = budget?.[scope]
    return units.flatMap((unit) => {
      const cap = caps?.[unit]
      return cap === undefined ? [] : [{ scope, unit, cap }]
    })
  })

/** The scope of a cap, for people: `this session`, `today`. */
export const scopeWords: Record<Scope, string> = {
  turn: "this turn",
  session: "this session",
  folder: "this folder",
  token: "this access token",
  day: "today"
}

/** Parses a rule such as `day.cost_usd=20`; a text says how rules are written. */
export const parseRule = (text: string): Rule | string => {
  const [, scope, unit, number] = /^([a-z]+)\.([a-z_]+)=([0-9.]+)$/u.exec(text.trim()) ?? []
  const cap = Number(number)
  const known = scopes.find((name) => name === scope)
  const of = units.find((name) => name === unit)
  return known === undefined || of === undefined || !Number.isFinite(cap)
    ? "SCOPE.UNIT=NUMBER, such as day.cost_usd=20, with SCOPE one of "
      + `${scopes.join(", ")} and UNIT one of ${units.join(", ")}`
    : { scope: known, unit: of, cap }
}

/** What an agent has told, without amounts that cannot be: one of them would spoil all sums. */
const possible = (usage: Usage): Usage =>
  Object.values(usage).every((amount) => amount >= 0 && amount <= Number.MAX_SAFE_INTEGER)
    ? usage
    : Object.fromEntries(
      Object.entries(usage).filter(([, amount]) => amount >= 0 && amount <= Number.MAX_SAFE_INTEGER)
    )

/** `now` is the time in ms; `elapsed`, which measures work, goes on evenly when clocks are set. */
export const make = (
  settings: BudgetSettings,
  ledger: Ledger,
  now: () => number,
  elapsed: () => number = now
): Book => {
  const priceOf = lookup(settings.prices)
  const dates = new Intl.DateTimeFormat("en-CA", {
    ...(settings.time_zone !== undefined && { timeZone: settings.time_zone }),
    year: "numeric",
    month: "2-digit",
    day: "2-digit"
  })
  // In every time zone days begin on a full minute.
  let day = { minute: NaN, name: "" }
  const today = () => {
    const minute = Math.floor(now() / 60_000)
    if (minute !== day.minute) day = { minute, name: dates.format(now()) }
    return day.name
  }
  /** Whether sessions share any cap. */
  const isShared = settings.rules.some(({ scope }) => scope !== "turn" && scope !== "session")
  const accounts = new Map<object, () => void>()
  let originOf = (token: string) => token
  /** The token that pays for each open session's turn, by the name its agent has as a client. */
  const payers = new Map<string, string | undefined>()
  const payerOf = (token: string | undefined) =>
    token === undefined ? undefined : payers.has(token) ? payers.get(token) : originOf(token)

  const spread = () => {
    for (const onChange of [...accounts.values()]) onChange()
  }

  const open: Book["open"] = (owner, onChange) => {
    const { session_id } = owner
    let model = owner.model
    let price = priceOf(model)
    let token: string | undefined
    let turn: number | undefined
    let began = 0
    let startedAt = 0
    let isDelivered = false
    let isWithheld = false
    let used: Usage = {}
    let context_pct = 0
    const warned = new Set<string>()

    const minutes = () => turn === undefined ? 0 : (elapsed() - startedAt) / 60_000

    const priced = (usage: Usage): { readonly usage: Usage; readonly priced: Priced } => {
      if (usage.cost_usd !== undefined) return { usage, priced: "agent" }
      return price === undefined
        ? { usage, priced: "none" }
        : { usage: { ...usage, cost_usd: costOf(usage, price) }, priced: "table" }
    }

    const entryOf = (number: number, usage: Usage, isOpen: boolean): Entry => {
      const known = priced(usage)
      return {
        session_id,
        turn: number,
        ts: now() / 1000,
        ...(turn !== undefined && { began }),
        day: today(),
        tool: owner.tool,
        folder: owner.folder,
        ...(model !== undefined && { model }),
        ...(token !== undefined && { token }),
        spend: { ...ofUsage(known.usage), turns: isWithheld ? 0 : 1, minutes: minutes() },
        priced: known.priced,
        ...(isOpen ? { open: known.usage } : { ended: known.usage })
      }
    }

    const nameOf = (scope: Scope): string | undefined =>
      scope === "turn"
        ? `${session_id}#${turn ?? 0}`
        : scope === "session"
        ? session_id
        : scope === "folder"
        ? owner.folder
        : scope === "token"
        ? token
        : today()
    const keyOf = (scope: Scope) => `${scope}:${nameOf(scope) ?? ""}`

    /** The running turn's usage, including the time since the agent's last report. */
    const running = (): Spend => ({
      ...nothing,
      minutes: Math.max(0, minutes() - (ledger.openTurn(session_id)?.spend.minutes ?? 0))
    })

    const spentIn = (scope: Scope): Spend =>
      scope === "turn"
        ? { ...ofUsage(priced(used).usage), turns: turn === undefined ? 0 : 1, minutes: minutes() }
        : add(ledger.total(keyOf(scope)), running())

    const rules = () => [...settings.rules, ...rulesOf(ledger.lowered(session_id))]
    /** The cap as it is set: the lowest of the operator's and the client's. Who lowers it takes back what somebody allowed more. */
    const setTo = ({ scope, unit }: Rule) =>
      Math.min(...rules().flatMap((rule) => rule.scope === scope && rule.unit === unit ? [rule.cap] : []))
    const raiseKey = ({ scope, unit }: Rule) => `${keyOf(scope)}.${unit}`

    const standingOf = (rule: Rule): Standing => {
      const { cap, scope, unit } = rule
      return {
        scope,
        unit,
        cap: Math.max(cap, ledger.raised(raiseKey(rule), setTo(rule))),
        spent: amountOf(spentIn(scope), unit, context_pct)
      }
    }

    const standings = () => rules().filter(({ scope }) => nameOf(scope) !== undefined).map(standingOf)

    /** Whether a cap is reached. A cap on turns lets a turn end that was begun below it; all others apply at once. */
    const isReached = ({ cap, scope, spent, unit }: Standing) =>
      unit === "turns" && turn !== undefined
        ? !isDelivered && spent > cap
        : spent >= cap && !(scope === "turn" && turn === undefined)

    const isFree = () => settings.rules.length === 0 && ledger.lowered(session_id) === undefined
    const reached = () => isFree() ? undefined : standings().find(isReached)

    const self = {}
    accounts.set(self, onChange)

    return {
      beginTurn: (number, by) => {
        turn = number
        token = payerOf(by)
        payers.set(agentName(session_id), token)
        began = now() / 1000
        startedAt = elapsed()
        isDelivered = false
        isWithheld = false
        used = {}
        ledger.record(entryOf(number, {}, true))
      },
      use: (usage) => {
        if (turn === undefined) return
        used = { ...used, ...possible(usage) }
        ledger.record(entryOf(turn, used, true))
        if (isShared) spread()
        else onChange()
      },
      fill: (pct) => {
        context_pct = pct
        onChange()
      },
      setModel: (name) => {
        if (name !== model) price = priceOf(name)
        model = name
      },
      endTurn: (usage) => {
        // Its last report may lack what it has reported before.
        const told = possible(usage ?? {})
        const last = priced({ ...told, ...used, ...told })
        if (turn === undefined) return { ...(usage !== undefined && last), priced: last.priced }
        ledger.record(entryOf(turn, last.usage, false))
        turn = undefined
        used = {}
        spread()
        return Object.keys(last.usage).length > 0 ? last : { priced: last.priced }
      },
      settle: (cut) => {
        if (cut !== undefined) ledger.recall(session_id, cut)
        const left = ledger.openTurn(session_id)
        ledger.settle(session_id, now() / 1000)
        if (cut === undefined || left?.turn === cut) return left?.open
        // Its final usage was written but its end was lost, or it was killed before it reported anything.
        const last = ledger.lastTurn(session_id)
        if (last?.turn === cut) return last.ended
        ledger.record({ ...entryOf(cut, {}, false), spend: { ...nothing, turns: 1 } })
        return undefined
      },
      deliver: () => {
        isDelivered = true
        isWithheld = false
      },
      withhold: () => {
        isWithheld = true
      },
      reached,
      near: () => {
        if (isFree()) return []
        const from = settings.warn_pct / 100
        return standings().filter((standing) => {
          const { cap, scope, spent, unit } = standing
          const key = `${keyOf(scope)}.${unit} ${cap}`
          if (cap <= 0 || spent < cap * from || isReached(standing) || warned.has(key)) return false
          warned.add(key)
          return true
        })
      },
      minutesLeft: () =>
        standings().reduce(
          (least, { cap, spent, unit }) => unit === "minutes" ? Math.min(least, cap - spent) : least,
          Infinity
        ),
      raise: (standing, by) => {
        const cap = Math.max(standing.cap, standing.spent) + by
        ledger.raise(raiseKey(standing), cap, setTo(standing))
        spread()
        return { ...standing, cap }
      },
      lower: (budget) => {
        const known = lower(
          { turn: capsIn(settings.rules, "turn"), session: capsIn(settings.rules, "session") },
          ledger.lowered(session_id)
        )
        const raising = rulesOf(budget).find(({ cap, scope, unit }) =>
          cap > (known[scope as "turn"]?.[unit] ?? Infinity)
        )
        if (raising !== undefined) {
          const { scope, unit } = raising
          return `\`budget.${scope}.${unit}\` may be ${
            known[scope as "turn"]?.[unit]
          } at most: a client can lower a budget, `
            + "not raise it. Ask the operator, or wait until you are asked when it is used up."
        }
        ledger.lower(session_id, lower(ledger.lowered(session_id), budget))
        onChange()
        return undefined
      },
      standings,
      close: () => {
        accounts.delete(self)
        payers.delete(agentName(session_id))
      }
    }
  }

  const paying: Book["paying"] = (origins) => void (originOf = origins)

  return { open, paying, ledger }
}

const capsIn = (rules: ReadonlyArray<Rule>, scope: Scope): Caps =>
  rules.filter((rule) => rule.scope === scope).reduce<Caps>(
    (caps, { cap, unit }) => lowerCaps(caps, { [unit]: cap }),
    {}
  )
