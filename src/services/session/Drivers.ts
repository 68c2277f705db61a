/**
 * Drivers: who may give a session commands, where only one client at a time may (`--drivers one`).
 *
 * Nobody drives until somebody gives a command: who does so drives. Others watch; they may ask to take over, and suggest
 * prompts. An ask is settled by the driver, or by the deadline, which gives the session over. A driver whose last
 * connection is gone drives no more: the client that asked first drives then, else nobody does, and the next command decides.
 * So there are never two, and never one who is not there. All of it is told in the session's log.
 *
 * A client is known by its key: a connection, or, where each request has a connection of its own, who asks.
 */
import { type Clock, Context, Effect, type Fiber, Schema } from "effect"
import { type ClientCommand, type CommandOf, RequestId } from "../../schema/index.js"
import type { IdGenerator } from "../IdGenerator.js"
import type { EventLog } from "../log/EventLog.js"
import type { Settings } from "../RelayConfig.js"
import type { Sender } from "./Sender.js"

/** Another client drives. */
export class NotDriving extends Schema.TaggedError<NotDriving>()("NotDriving", { reason: Schema.String }) {
  override get message() {
    return this.reason
  }
}

/** One who has joined. The same key is the same client, as long as one of its connections is there. */
export interface Client {
  readonly key: string | symbol
  readonly by: Sender.Fields
}

/** Whose command is carried out; undefined where nobody is asked who drives. */
export const Driving = Context.Reference<Client | undefined>("ai-relay/services/Driving", {
  defaultValue: () => undefined
})

/** Names those who come with each request anew; undefined: each that joins is a client of its own. */
export const ClientKey = Context.Reference<string | undefined>("ai-relay/services/ClientKey", {
  defaultValue: () => undefined
})

export interface Drivers {
  /** One at a time. */
  readonly isOne: boolean
  /** A client joins; to be paired with `leave`. */
  readonly enter: (key: string | undefined, by: Sender.Fields) => Client
  readonly leave: (client: Client) => void
  /** Whether it may give this command now; with nobody driving, it drives from here on. */
  readonly admit: (client: Client, type: CommandType, by: Sender.Fields) => NotDriving | undefined
  /** Who drives now. */
  readonly current: () => Client | undefined
  /**
   * Why something that comes without a client may not be done now: somebody drives; but not if that is the holder of this token,
   * from elsewhere.
   */
  readonly objection: (what: string, owner?: { readonly token: string | undefined }) => string | undefined
  /** These give the reason for a refusal. */
  readonly drive: (client: Client | undefined) => Effect.Effect<string | undefined>
  readonly respond: (client: Client | undefined, answer: CommandOf<"drive_response">) => string | undefined
  readonly suggest: (client: Client | undefined, text: string) => Effect.Effect<string | undefined>
  /** What was suggested under this id, for the one who drives; else why not. */
  readonly suggested: (
    client: Client | undefined,
    suggestion_id: string
  ) => { readonly text: string } | string
  readonly settleSuggestion: (client: Client | undefined, suggestion_id: string, sent: boolean) => void
  /** For `session_start`. */
  readonly describe: () => Readonly<Record<string, unknown>>
}

type CommandType = ClientCommand["type"]

/** Given by every client that has the scope for them. */
const freely = new Set<CommandType>(["ping", "drive", "suggest"])
/** A page's terminal says how large it is when it is opened: that is not to drive. */
const withoutDriving = new Set<CommandType>(["resize"])

/** Suggestions that may wait, of one client and in all, and the characters of one. */
const mostSuggestions = { ofOne: 5, ofAll: 20 } as const
export const longestSuggestion = 20_000

interface Ask {
  readonly request_id: RequestId
  readonly client: Client
  /** Unix seconds. */
  readonly expires_at: number
}

interface Suggestion {
  readonly suggestion_id: string
  readonly text: string
  readonly client: Client
}

type Reason = "took" | "allowed" | "unanswered" | "left"
type Outcome = "allowed" | "refused" | "unanswered" | "withdrawn"

/** In words, as far as others know them, and on one line: what it uses, a client says itself. */
export const nameOf = ({ address, front, token, user }: Sender.Fields): string =>
  [user ?? token ?? address ?? "another client", ...front === undefined ? [] : [`(${front})`]].join(" ")
    .replaceAll(/[\p{C}\p{Zl}\p{Zp}]+/gu, " ")

const personOf = ({ by: { address, token, user }, key }: Client) => user ?? token ?? address ?? key

const everybody =
  "everybody drives at this relay (`--drivers many`): send it as a prompt, there is nothing to take over"

/** Where everybody drives. */
const many: Drivers = {
  isOne: false,
  enter: (key, by) => ({ key: key ?? Symbol(), by }),
  leave: () => {},
  admit: () => undefined,
  current: () => undefined,
  objection: () => undefined,
  drive: () => Effect.succeed(everybody),
  respond: () => everybody,
  suggest: () => Effect.succeed(everybody),
  suggested: () => everybody,
  settleSuggestion: () => {},
  describe: () => ({})
}

interface Parts {
  readonly settings: Pick<Settings, "drivers" | "take_over_timeout">
  readonly log: EventLog["Service"]
  readonly ids: IdGenerator["Service"]
  readonly clock: Clock.Clock
  readonly isTerminal: () => boolean
  readonly fork: (effect: Effect.Effect<void>) => Fiber.Fiber<void>
}

export const make = (parts: Parts): Drivers => parts.settings.drivers === "one" ? one(parts) : many

const one = ({ clock, fork, ids, isTerminal, log, settings: { take_over_timeout } }: Parts): Drivers => {
  /** How often each has joined. */
  const clients = new Map<string | symbol, { readonly client: Client; joined: number }>()
  /** Oldest first. */
  const asks = new Map<string, Ask>()
  const suggestions = new Map<string, Suggestion>()
  /** Until when people who were refused wait before they ask again, in Unix seconds; a new connection is no new person. */
  const refused = new Map<string | symbol, number>()
  let driver: Client | undefined

  const now = () => clock.currentTimeMillisUnsafe() / 1000

  const tell = (status: string, text: string, metadata: Readonly<Record<string, unknown>>) =>
    log.unsafeAppend({ type: "status", status, text, metadata })

  const become = (client: Client | undefined, reason: Reason) => {
    driver = client
    for (const { request_id } of [...asks.values()]) settleAsk(request_id, "withdrawn")
    tell(
      "driver",
      client === undefined ? "Nobody drives this session now." : `${nameOf(client.by)} drives now.`,
      {
        ...(client !== undefined && { driver: client.by }),
        reason
      }
    )
  }

  const settleAsk = (request_id: string, outcome: Outcome): Ask | undefined => {
    const ask = asks.get(request_id)
    if (ask === undefined) return undefined
    asks.delete(request_id)
    tell("drive_settled", `${nameOf(ask.client.by)}: ${outcome}.`, { request_id, outcome, by: ask.client.by })
    return ask
  }

  const leave = (client: Client) => {
    const entry = clients.get(client.key)
    if (entry === undefined) return
    entry.joined -= 1
    if (entry.joined > 0) return
    clients.delete(client.key)
    for (const ask of [...asks.values()]) {
      if (ask.client === client) settleAsk(ask.request_id, "withdrawn")
    }
    if (driver !== client) return
    const [next] = asks.values()
    if (next !== undefined) settleAsk(next.request_id, "allowed")
    become(next?.client, "left")
  }

  const notDriving = (type: string, who: Client) =>
    new NotDriving({
      reason:
        `${
          nameOf(who.by)
        } drives this session, so \`${type}\` was not done: ask to take over with \`drive\` ("Take `
        + `over" in the console), suggest a prompt with \`suggest\`, or send it again when nobody drives`
    })

  const admit: Drivers["admit"] = (client, type, by) => {
    if (freely.has(type) || by.schedule !== undefined || driver === client) return undefined
    if (driver !== undefined) return notDriving(type, driver)
    if (!withoutDriving.has(type)) become(client, "took")
    return undefined
  }

  const drive: Drivers["drive"] = Effect.fnUntraced(function*(client) {
    if (client === undefined || !clients.has(client.key)) return "only a client that has joined can drive"
    const uuid = yield* ids.uuid
    if (driver === client) return undefined
    if (driver === undefined) return void become(client, "took")
    if ([...asks.values()].some((ask) => ask.client === client)) return undefined
    for (const [person, until] of refused) if (until <= now()) refused.delete(person)
    const left = (refused.get(personOf(client)) ?? 0) - now()
    if (left > 0) {
      return `${nameOf(driver.by)} has just refused: ask again in ${
        Math.ceil(left)
      } s, or suggest a prompt with \`suggest\``
    }
    const request_id = RequestId.make(uuid)
    const expires_at = now() + take_over_timeout
    asks.set(request_id, { request_id, client, expires_at })
    tell(
      "drive_requested",
      `${nameOf(client.by)} asks to take over; without an answer that happens in ${take_over_timeout} s.`,
      { request_id, by: client.by, expires_at }
    )
    fork(Effect.andThen(
      Effect.sleep(take_over_timeout * 1000),
      // Settled meanwhile, it is none any more.
      Effect.sync(() => {
        if (settleAsk(request_id, "unanswered") !== undefined) become(client, "unanswered")
      })
    ))
    return undefined
  })

  const onlyDriver = "only the client that drives decides that"

  const respond: Drivers["respond"] = (client, { allow, request_id }) => {
    const ask = asks.get(request_id)
    if (client === undefined || client !== driver) return onlyDriver
    if (ask === undefined) {
      return `nobody waits for an answer to "${request_id}": it was settled, or never asked`
    }
    settleAsk(request_id, allow ? "allowed" : "refused")
    if (allow) become(ask.client, "allowed")
    else refused.set(personOf(ask.client), now() + take_over_timeout)
    return undefined
  }

  const suggest: Drivers["suggest"] = Effect.fnUntraced(function*(client, text) {
    const suggestion_id = yield* ids.uuid
    if (client === undefined || !clients.has(client.key)) {
      return "only a client that has joined can suggest a prompt"
    }
    if (isTerminal()) return "a terminal takes no suggestions: ask to take over with `drive`"
    if (driver === undefined) return "nobody drives this session now: send it as a prompt"
    if (driver === client) return "you drive this session: send it as a prompt"
    if (text.length > longestSuggestion) {
      return `a suggestion may have ${longestSuggestion} characters: make it shorter, or ask to take over with \`drive\``
    }
    const own = [...suggestions.values()].filter((suggestion) => suggestion.client.key === client.key).length
    if (suggestions.size >= mostSuggestions.ofAll || own >= mostSuggestions.ofOne) {
      return `${own} suggestions of yours wait, ${suggestions.size} in all: wait until one is sent or dropped`
    }
    suggestions.set(suggestion_id, { suggestion_id, text, client })
    return void tell("suggestion", text, { suggestion_id, by: client.by })
  })

  const suggested: Drivers["suggested"] = (client, suggestion_id) =>
    client === undefined || client !== driver
      ? onlyDriver
      : suggestions.get(suggestion_id)
        ?? `there is no suggestion "${suggestion_id}": it was sent or dropped already, or never made`

  const settleSuggestion: Drivers["settleSuggestion"] = (client, suggestion_id, sent) => {
    if (!suggestions.delete(suggestion_id)) return
    const outcome = sent ? "sent" : "dropped"
    tell("suggestion_settled", `The suggestion was ${outcome}.`, {
      suggestion_id,
      outcome,
      ...(client !== undefined && { by: client.by })
    })
  }

  return {
    isOne: true,
    enter: (key, by) => {
      const known = key === undefined ? undefined : clients.get(key)
      if (known !== undefined) {
        known.joined += 1
        return known.client
      }
      const client: Client = { key: key ?? Symbol(), by }
      clients.set(client.key, { client, joined: 1 })
      return client
    },
    leave,
    admit,
    current: () => driver,
    objection: (what, owner) =>
      driver === undefined ||
        (owner !== undefined && driver.by.user === undefined && driver.by.token === owner.token)
        ? undefined
        : `${
          nameOf(driver.by)
        } drives this session, so ${what} was not done: have it done there, or try again when nobody drives`,
    drive,
    respond,
    suggest,
    suggested,
    settleSuggestion,
    describe: () => ({
      drivers: "one",
      ...(driver !== undefined && { driver: driver.by }),
      ...(asks.size > 0 && {
        drive_requests: [...asks.values()].map(({ client: { by }, expires_at, request_id }) => ({
          request_id,
          by,
          expires_at
        }))
      }),
      ...(suggestions.size > 0 && {
        suggestions: [...suggestions.values()].map(({ client: { by }, suggestion_id, text }) => ({
          suggestion_id,
          text,
          by
        }))
      })
    })
  }
}
