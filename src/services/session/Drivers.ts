/**
 * Drivers: which client may send a session commands, if only one at a time may (`--drivers one`).
 *
 * The first client to send a command becomes the driver. The others watch; they may ask to take over and suggest prompts. The
 * driver answers a request, or the deadline passes and the session changes hands. When a driver's last connection closes, the
 * client that asked first drives; if none asked, nobody does until the next command. So there are never two drivers, and never
 * an absent one. All changes are told in the session's log.
 *
 * A client is identified by its key: a connection, or for clients with one connection per request, the sender.
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

/** A client that has joined. Joins with the same key are the same client while one of its connections is open. */
export interface Client {
  readonly key: string | symbol
  readonly by: Sender.Fields
}

/** The client whose command is carried out; undefined for commands that need no driver. */
export const Driving = Context.Reference<Client | undefined>("ai-relay/services/Driving", {
  defaultValue: () => undefined
})

/** The key of clients with one connection per request; undefined: each join is a client of its own. */
export const ClientKey = Context.Reference<string | undefined>("ai-relay/services/ClientKey", {
  defaultValue: () => undefined
})

export interface Drivers {
  /** Whether only one client at a time may drive. */
  readonly isOne: boolean
  /** A client joins; must be paired with `leave`. */
  readonly enter: (key: string | undefined, by: Sender.Fields) => Client
  readonly leave: (client: Client) => void
  /** Why the client may not send this command now; undefined if it may. If nobody drives, it becomes the driver. */
  readonly admit: (client: Client, type: CommandType, by: Sender.Fields) => NotDriving | undefined
  /** The current driver. */
  readonly current: () => Client | undefined
  /**
   * Why something that no joined client asks for may not be done now: somebody else drives. `owner`: holder of the token it is
   * done for, who may be the driver. Undefined: it may be done.
   */
  readonly objection: (what: string, owner?: { readonly token: string | undefined }) => string | undefined
  /** This and the next three give the reason for a refusal, or undefined. */
  readonly drive: (client: Client | undefined) => Effect.Effect<string | undefined>
  readonly respond: (client: Client | undefined, answer: CommandOf<"drive_response">) => string | undefined
  readonly suggest: (client: Client | undefined, text: string) => Effect.Effect<string | undefined>
  /** The suggestion with this id, if the client is the driver; else the reason for a refusal. */
  readonly suggested: (
    client: Client | undefined,
    suggestion_id: string
  ) => { readonly text: string } | string
  readonly settleSuggestion: (client: Client | undefined, suggestion_id: string, sent: boolean) => void
  /** Fields for `session_start`. */
  readonly describe: () => Readonly<Record<string, unknown>>
}

type CommandType = ClientCommand["type"]

/** Commands that any client with the right scope may send, even if another client drives. */
const freely = new Set<CommandType>(["ping", "drive", "suggest"])
/** Commands that do not make a client the driver: a page's terminal reports its size as soon as it is opened. */
const withoutDriving = new Set<CommandType>(["resize"])

/** How many suggestions may wait, per person and in total; and the longest one, in characters. */
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

/** A client's name for people, on one line. Part of it is what the client says about itself. */
export const nameOf = ({ address, front, token, user }: Sender.Fields): string =>
  [user ?? token ?? address ?? "another client", ...front === undefined ? [] : [`(${front})`]].join(" ")
    .replaceAll(/[\p{C}\p{Zl}\p{Zp}]+/gu, " ")

const personOf = ({ by: { address, token, user }, key }: Client) => user ?? token ?? address ?? key

const everybody =
  "every client may send commands at this relay (`--drivers many`): send it as a prompt, there is nothing to take over"

/** For `--drivers many`, where every client may send commands. */
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
  /** Clients by key, with the number of their joins. */
  const clients = new Map<string | symbol, { readonly client: Client; joined: number }>()
  /** Oldest first. */
  const asks = new Map<string, Ask>()
  const suggestions = new Map<string, Suggestion>()
  /** When clients that were refused may ask again, in Unix seconds. By key, so that a new connection does not help. */
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

  const drive: Drivers["drive"] = (client) =>
    Effect.gen(function*() {
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
        `${nameOf(client.by)} asks to take over, and will in ${take_over_timeout} s without an answer.`,
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

  const onlyDriver = "only the driver can decide that"

  const respond: Drivers["respond"] = (client, { allow, request_id }) => {
    const ask = asks.get(request_id)
    if (client === undefined || client !== driver) return onlyDriver
    if (ask === undefined) {
      return `no request "${request_id}" is waiting for an answer: it was already settled, or never made`
    }
    settleAsk(request_id, allow ? "allowed" : "refused")
    if (allow) become(ask.client, "allowed")
    else refused.set(personOf(ask.client), now() + take_over_timeout)
    return undefined
  }

  const suggest: Drivers["suggest"] = (client, text) =>
    Effect.gen(function*() {
      const suggestion_id = yield* ids.uuid
      if (client === undefined || !clients.has(client.key)) {
        return "only a client that has joined can suggest a prompt"
      }
      if (isTerminal()) return "a terminal takes no suggestions: ask to take over with `drive`"
      if (driver === undefined) return "nobody drives this session now: send it as a prompt"
      if (driver === client) return "you drive this session: send it as a prompt"
      if (text.length > longestSuggestion) {
        return `a suggestion may have at most ${longestSuggestion} characters: shorten it, or ask to take over with \`drive\``
      }
      const own = [...suggestions.values()].filter((other) =>
        personOf(other.client) === personOf(client)
      ).length
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
        ?? `there is no suggestion "${suggestion_id}": it was already sent or dropped, or never made`

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
