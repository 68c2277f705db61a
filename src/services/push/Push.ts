/**
 * Push: notifies subscribed browsers (Web Push, RFC 8030, 8291 and 8292) when a session waits for an answer or a long turn has
 * ended, and takes answers from notifications.
 *
 * A subscription belongs to the person who made it and covers only what they may see. It ends with their token, when it
 * expires, or when the push service reports that the browser is gone. If a question can be answered in the notification
 * (`askText.ts`), a person who may approve gets a ticket with it: for that question only, usable once, with its owner's rights at
 * that time, and void when the question is settled. Nothing is loaded or watched before somebody subscribes.
 */
import {
  Clock,
  Context,
  Effect,
  Exit,
  FiberMap,
  Layer,
  Queue,
  Schedule,
  Schema,
  Scope,
  Semaphore
} from "effect"
import { createHash, createPublicKey, randomBytes } from "node:crypto"
import { type PermissionRequest, RequestId, type SessionId } from "../../schema/index.js"
import type { PushSubscription } from "../../schema/PushSubscription.js"
import { Auth } from "../access/Auth.js"
import {
  demandCommand,
  demandWithin,
  everything,
  Forbidden,
  isWithin,
  may,
  Principal
} from "../access/Principal.js"
import { cleanText } from "../access/redact.js"
import * as calls from "../notify/calls.js"
import { relayEnvironment } from "../process/AgentEnvironment.js"
import { RelayConfig } from "../RelayConfig.js"
import { Sender } from "../session/Sender.js"
import { SessionRegistry } from "../session/SessionRegistry.js"
import { askTextOf } from "./askText.js"
import * as pushFile from "./pushFile.js"
import type { PushUnusable, Subscription } from "./pushFile.js"
import { post, problemOf, type PushFailed } from "./pushService.js"

/** The subscription is refused. */
export class PushRefused extends Schema.TaggedError<PushRefused>()("PushRefused", { reason: Schema.String }) {
  override get message() {
    return this.reason
  }
}

/** The ticket is wrong or used, or its question is no longer open. */
export class PushTicketOver extends Schema.TaggedError<PushTicketOver>()("PushTicketOver", {}) {
  override get message() {
    return "this was already answered, or is no longer asked: open the session to see the outcome"
  }
}

/** A subscription as its owner sees it. */
export interface Listed {
  readonly id: string
  /** Unix times in seconds. */
  readonly created_at: number
  readonly expires_at: number
}

/** The contents of a notification, encrypted for one browser. */
export interface Message {
  readonly kind: "question" | "done" | "test"
  readonly session_id?: string
  readonly tool?: string
  /** The session's title. */
  readonly title?: string
  /** What would run; complete only if it may be allowed here. */
  readonly text?: string
  readonly ask?: "tool" | "plan" | "question" | "budget" | "other"
  readonly request_id?: string
  readonly ticket?: string
  /** Answers that the ticket can give. */
  readonly answers?: ReadonlyArray<"allow" | "deny">
  /** How many sessions wait for an answer. */
  readonly waiting: number
}

export class Push extends Context.Service<Push, {
  /** The relay's public key, to which browsers bind their subscriptions. */
  readonly key: Effect.Effect<string, PushUnusable>
  /** Subscribes a browser of the `Principal`; if it is already subscribed, renews that. */
  readonly subscribe: (wanted: PushSubscription) => Effect.Effect<Listed, PushRefused | PushUnusable>
  /** The subscriptions of the `Principal`. */
  readonly list: Effect.Effect<ReadonlyArray<Listed>, PushUnusable>
  /** Removes a subscription of the `Principal`; false if there is none with this id. */
  readonly unsubscribe: (id: string) => Effect.Effect<boolean, PushUnusable>
  /** Answers the question that the ticket is for; completes when it is settled. */
  readonly answer: (
    ticket: string,
    behavior: "allow" | "deny"
  ) => Effect.Effect<void, PushTicketOver | Forbidden>
}>()("ai-relay/services/Push") {
  static readonly layer = Layer.effect(this, Effect.suspend(() => make))
}

const daySeconds = 24 * 3600
/** Lifetime of a subscription that is not renewed. */
const longestSeconds = 60 * daySeconds
const mostEach = 20
const mostInAll = 500
const mostTickets = 2000
/** Undelivered messages of an owner, and how many are sent at once. */
const mostWaiting = 200
const mostLanes = 4
const again = Schedule.max([Schedule.exponential("1 second", 4), Schedule.recurs(3)])
/** How long the push service may keep the news of an ended turn, in seconds. */
const newsSeconds = 12 * 3600
const settleTime = "3 seconds"
/** How long to wait before looking again whether tokens can be read. */
const unreadablePause = "1 minute"

const digest = (text: string) => createHash("sha256").update(text).digest("base64url")
const idOf = (endpoint: string) => digest(endpoint).slice(0, 16)

/** Whether these are valid keys: a point on the curve and a secret of 16 bytes. */
const areKeys = ({ auth, p256dh }: PushSubscription["keys"]): boolean => {
  const point = Buffer.from(p256dh, "base64url")
  if (point.length !== 65 || point[0] !== 4 || Buffer.from(auth, "base64url").length !== 16) return false
  try {
    createPublicKey({
      format: "jwk",
      key: {
        kty: "EC",
        crv: "P-256",
        x: point.subarray(1, 33).toString("base64url"),
        y: point.subarray(33).toString("base64url")
      }
    })
    return true
  } catch {
    return false
  }
}

type Outgoing = readonly [subscription: Subscription, message: Message, ttl: number]

interface TicketOf {
  readonly session_id: SessionId
  /** The question itself, since a later one may have the same id. */
  readonly ask: PermissionRequest
  readonly mark: string
  readonly answers: ReadonlyArray<"allow" | "deny">
}

const make = Effect.gen(function*() {
  const { allow_push_service, notify_link, state_dir } = yield* RelayConfig
  const auth = yield* Auth
  const registry = yield* SessionRegistry
  const scope = yield* Effect.scope
  const clean = cleanText(relayEnvironment())
  const one = yield* Semaphore.make(1)
  const byId = new Map<string, Subscription>()
  const tickets = new Map<string, TicketOf>()
  /** What is to be delivered, by owner: services that do not answer delay nobody else. */
  const outgoing = new Map<string, { readonly waiting: Array<Outgoing>; lanes: number }>()
  const owners = yield* FiberMap.make<string>()

  /** What cannot be read is read again the next time: the operator may have corrected it. */
  let known: pushFile.Keys | undefined
  const keys = Effect.suspend(() =>
    known === undefined
      ? Effect.tap(pushFile.keysIn(state_dir), (found) => Effect.sync(() => void (known = found)))
      : Effect.succeed(known)
  )
  const library = yield* Effect.cached(
    Effect.promise(() => import("web-push").then(({ default: library }) => library))
  )
  const subject = notify_link?.startsWith("https://") === true ? notify_link : "mailto:operator@example.com"

  const save = Effect.suspend(() => pushFile.writeList(state_dir, [...byId.values()]))

  const drop = (id: string) =>
    Effect.suspend(() => {
      if (!byId.delete(id)) return Effect.succeed(false)
      return Effect.as(Effect.andThen(FiberMap.remove(owners, id), save), true)
    })

  /** Completes when the subscription expires or its owner loses the right to it. */
  const untilOver = (id: string, { expires_at, mark }: Subscription): Effect.Effect<void> =>
    Effect.gen(function*() {
      const lookAgain = () => {
        const kept = byId.get(id)
        return kept === undefined ? Effect.void : untilOver(id, kept)
      }
      const owner = yield* auth.holderOf(mark)
      const left = expires_at * 1000 - (yield* Clock.currentTimeMillis)
      if (left > 0 && owner === undefined && Exit.isFailure(yield* Effect.exit(auth.tokens.list))) {
        // Nobody has revoked it: the tokens cannot be read.
        yield* Effect.sleep(unreadablePause)
        return yield* lookAgain()
      }
      if (owner === undefined || left <= 0) return
      // Timers cannot be longer than some weeks. A token that was changed may still exist.
      yield* Effect.raceFirst(owner.ended, Effect.sleep(Math.min(left, daySeconds * 1000)))
      yield* Effect.yieldNow
      yield* lookAgain()
    })

  const follow = (id: string, subscription: Subscription) =>
    FiberMap.run(
      owners,
      id,
      Effect.flatMap(untilOver(id, subscription), () =>
        // In another fiber: one that removes itself would wait for itself.
        Effect.forkIn(Effect.ignore(drop(id)), scope))
    )

  // --- sending ---------------------------------------------------------------------------------------------------

  const encrypted = Effect.fnUntraced(function*(
    { auth, endpoint, p256dh }: Subscription,
    message: Message,
    ttl: number
  ) {
    const { encrypt, getVapidHeaders } = yield* library
    const { private_key, public_key } = yield* keys
    const { origin } = new URL(endpoint)
    const vapid = getVapidHeaders(origin, subject, public_key, private_key, "aes128gcm")
    const { cipherText } = encrypt(p256dh, auth, JSON.stringify(message), "aes128gcm")
    return {
      body: cipherText,
      headers: {
        "authorization": vapid.Authorization,
        "content-type": "application/octet-stream",
        "content-encoding": "aes128gcm",
        "ttl": Math.max(0, Math.round(ttl)),
        "urgency": message.kind === "question" ? "high" : "normal",
        // A newer notification replaces one that has not been delivered.
        "topic": digest(`${message.kind} ${message.session_id} ${message.request_id}`).slice(0, 32)
      }
    }
  })

  /** Whether a later attempt may succeed. */
  const isPassing = ({ status = 0 }: PushFailed) => status === 0 || status === 429 || status >= 500

  const deliver = Effect.fnUntraced(
    function*(subscription: Subscription, message: Message, ttl: number) {
      const { body, headers } = yield* encrypted(subscription, message, ttl)
      yield* post(subscription.endpoint, headers, body, allow_push_service).pipe(
        Effect.retry({ schedule: again, while: isPassing })
      )
    },
    (delivered, { endpoint, id }) =>
      delivered.pipe(
        Effect.catchTag("PushFailed", (failure) =>
          failure.status === 404 || failure.status === 410
            ? drop(id)
            : Effect.logWarning(
              // The path is secret.
              `a notification could not be sent to ${new URL(endpoint).host} (${failure.message})`
            )),
        Effect.catch(({ message }) => Effect.logWarning(message)),
        Effect.catchDefect((defect) => Effect.logWarning("a notification could not be made", defect))
      )
  )

  /** Delivers what an owner has waiting, until nothing is left. */
  const drain = (mark: string): Effect.Effect<void> =>
    Effect.suspend(() => {
      const owner = outgoing.get(mark)
      const next = owner?.waiting.shift()
      if (next !== undefined) return Effect.andThen(deliver(...next), drain(mark))
      if (owner !== undefined && --owner.lanes === 0) outgoing.delete(mark)
      return Effect.void
    })

  const send = (...wanted: Outgoing) =>
    Effect.suspend(() => {
      const [{ mark }] = wanted
      const owner = outgoing.get(mark) ?? { waiting: [], lanes: 0 }
      outgoing.set(mark, owner)
      owner.waiting.push(wanted)
      if (owner.waiting.length > mostWaiting) owner.waiting.shift()
      if (owner.lanes === mostLanes) return Effect.void
      owner.lanes += 1
      return Effect.asVoid(Effect.forkIn(drain(mark), scope))
    })

  // --- what is told ----------------------------------------------------------------------------------------------

  const ticketFor = (given: TicketOf): string => {
    const ticket = randomBytes(32).toString("base64url")
    tickets.set(digest(ticket), given)
    for (const [other] of tickets) {
      if (tickets.size <= mostTickets) break
      tickets.delete(other)
    }
    return ticket
  }

  const openAsks = (session_id: SessionId): ReadonlyArray<PermissionRequest> =>
    registry.live(session_id)?.pending() ?? []

  const waitingFor = (principal: Parameters<typeof isWithin>[0]): number =>
    registry.all().filter((session) =>
      session.pending().length > 0 && isWithin(principal, session.log.summary())
    )
      .length

  const tell = Effect.fnUntraced(function*(subscription: Subscription, call: calls.Call) {
    const principal = yield* auth.holderOf(subscription.mark)
    const { line: { session_id, title, tool } } = call
    if (principal === undefined || !isWithin(principal, call.line)) return
    const now = (yield* Clock.currentTimeMillis) / 1000
    const ask = call.kind === "question"
      ? openAsks(session_id).find(({ request_id }) => request_id === call.request_id)
      : undefined
    if (call.kind === "question" && ask === undefined) return
    const shown = ask === undefined ? undefined : askTextOf(ask, call.line.folder, clean)
    const answers = shown?.whole === true ? ["allow", "deny"] as const : ["deny"] as const
    const canAnswer = ask?.metadata.kind === "tool" && may(principal, "approve")
    yield* send(
      subscription,
      {
        kind: call.kind,
        session_id,
        tool,
        ...(title !== undefined && { title: clean(title).slice(0, 120) }),
        waiting: waitingFor(principal),
        ...(ask !== undefined && {
          ask: ask.metadata.kind,
          request_id: ask.request_id,
          // Questions and plans are read in the page.
          ...(ask.metadata.kind === "tool" && { text: shown?.text ?? "" })
        }),
        ...(ask !== undefined && canAnswer && {
          ticket: ticketFor({ session_id, ask, mark: subscription.mark, answers }),
          answers
        })
      },
      ask === undefined ? newsSeconds : Math.min(newsSeconds, (ask.metadata.expires_at ?? Infinity) - now)
    )
  })

  /** From the first subscription on. */
  const begin = yield* Effect.cached(
    Effect.gen(function*() {
      const called = yield* Queue.sliding<calls.Call>(mostWaiting)
      yield* calls.watch((call) => void Queue.offerUnsafe(called, call))
      yield* Effect.forkScoped(
        Effect.forever(
          Effect.flatMap(
            Queue.take(called),
            (call) =>
              Effect.forEach([...byId.values()], (subscription) => tell(subscription, call), {
                discard: true
              })
          )
        )
      )
    }).pipe(
      Scope.provide(scope),
      Effect.provideService(SessionRegistry, registry),
      // The first subscriber may see less than later ones.
      Effect.provideService(Principal, everything)
    )
  )

  let isLoaded = false
  const load = Effect.gen(function*() {
    if (isLoaded) return
    const kept = yield* pushFile.readList(state_dir)
    isLoaded = true
    for (const subscription of kept) {
      byId.set(subscription.id, subscription)
      yield* follow(subscription.id, subscription)
    }
    if (kept.length > 0) yield* begin
  })
  if (pushFile.isThere(state_dir)) {
    yield* Effect.catch(load, ({ message }) => Effect.logWarning(message))
  }

  // --- who is told -----------------------------------------------------------------------------------------------

  const listed = ({ created_at, expires_at, id }: Subscription): Listed => ({ id, created_at, expires_at })

  const ownMark = Effect.flatMap(Principal, auth.markOf)

  const subscribe: Push["Service"]["subscribe"] = Effect.fn("Push.subscribe")(
    function*({ endpoint, keys: given }) {
      const principal = yield* Principal
      const mark = yield* ownMark
      if (mark === undefined) {
        return yield* new PushRefused({
          reason: "agents cannot subscribe to notifications: turn them on in a browser"
        })
      }
      const problem = problemOf(endpoint, allow_push_service)
      if (problem !== undefined) {
        return yield* new PushRefused({ reason: `the push service cannot be used: ${problem}` })
      }
      if (!areKeys(given)) {
        return yield* new PushRefused({
          reason: "`keys` are not valid: send the subscription as the browser's PushManager gives it"
        })
      }
      yield* load
      const now = (yield* Clock.currentTimeMillis) / 1000
      const id = idOf(endpoint)
      const kept = byId.get(id)
      if (kept === undefined && byId.size >= mostInAll) {
        return yield* new PushRefused({
          reason: `${mostInAll} browsers are already subscribed: turn notifications off in one of them`
        })
      }
      const subscription: Subscription = {
        id,
        endpoint,
        p256dh: given.p256dh,
        auth: given.auth,
        mark,
        created_at: kept?.mark === mark ? kept.created_at : now,
        expires_at: Math.min(now + longestSeconds, principal.expires_at ?? Infinity)
      }
      // The one that was renewed last is the last.
      byId.delete(id)
      byId.set(id, subscription)
      const own = [...byId.values()].filter((other) => other.mark === mark)
      for (const other of own.slice(0, -mostEach)) yield* drop(other.id)
      yield* save
      yield* follow(id, subscription)
      yield* begin
      return listed(subscription)
    },
    one.withPermits(1)
  )

  const list = Effect.andThen(
    load,
    Effect.map(ownMark, (mark) => [...byId.values()].filter((other) => other.mark === mark).map(listed))
  )

  const unsubscribe = Effect.fn("Push.unsubscribe")(function*(id: string) {
    yield* load
    const mark = yield* ownMark
    if (mark === undefined || byId.get(id)?.mark !== mark) return false
    return yield* drop(id)
  }, one.withPermits(1))

  // --- answers ---------------------------------------------------------------------------------------------------

  const answer = Effect.fn("Push.answer")(function*(ticket: string, behavior: "allow" | "deny") {
    const key = digest(ticket)
    const given = tickets.get(key)
    tickets.delete(key)
    if (given === undefined) return yield* new PushTicketOver()
    const { answers, ask, mark, session_id } = given
    if (!answers.includes(behavior)) {
      return yield* new Forbidden({
        reason:
          "this is not allowed from a notification, which does not show all of it: open the session to decide"
      })
    }
    const session = registry.live(session_id)
    const principal = yield* auth.holderOf(mark)
    const isOpen = () => session?.pending().includes(ask) === true
    if (session === undefined || principal === undefined || !isOpen()) return yield* new PushTicketOver()
    const command = {
      type: "permission_response",
      request_id: RequestId.make(ask.request_id),
      behavior
    } as const
    yield* demandWithin(principal, session.log.summary())
    yield* demandCommand(principal, command, session.isTerminal)
    const objection = session.drivers.objection("the answer", { token: principal.name })
    if (objection !== undefined) return yield* new Forbidden({ reason: objection })
    const { address } = yield* Sender
    yield* Effect.provideService(session.submit(command), Sender, {
      address,
      token: principal.name,
      front: "push"
    })
    const settled = Effect.callback<void>((resume) => {
      const look = () => isOpen() ? undefined : resume(Effect.void)
      const stop = registry.watch(look)
      look()
      return Effect.sync(stop)
    })
    yield* Effect.timeoutOrElse(settled, { duration: settleTime, orElse: () => new PushTicketOver() })
  })

  return Push.of({
    key: Effect.map(keys, ({ public_key }) => public_key),
    subscribe,
    list,
    unsubscribe,
    answer
  })
})
