/**
 * IdleStop: stops relays that nobody needs.
 *
 * A relay is needed while it has a client, from any process of the lab, or a running turn; the relay itself
 * knows. Every process watches all relays: one that has just started waits the full time before it stops
 * anything.
 */
import { Clock, Duration, Effect, Layer, Redacted, Schedule, Schema } from "effect"
import { request } from "node:http"
import { LabConfig } from "./LabConfig.js"
import { Presence } from "./Presence.js"
import { type Address, type RelayUnavailable, type Running, UserRelays } from "./UserRelays.js"

const Sessions = Schema.fromJsonString(Schema.Struct({
  sessions: Schema.Array(Schema.Struct({
    state: Schema.String,
    last_active_at: Schema.Number,
    clients: Schema.Number.pipe(Schema.withDecodingDefaultKey(Effect.succeed(0)))
  }))
}))

const decodeSessions = Schema.decodeEffect(Sessions)

const answerTime = "5 seconds"
/** Live sessions come first. */
const path = "/sessions?limit=1000"
/** Longer lists of sessions are not read: a relay that its agent has taken over must not keep the lab busy. */
const longestAnswer = 4 * 1024 * 1024

/** The answer of the relay's `GET /sessions`. */
const ask = ({ host, port, token }: Address) =>
  Effect.callback<string, Error>((resume) => {
    const headers = { authorization: `Bearer ${Redacted.value(token)}` }
    const asked = request({ host, port, path, headers, agent: false }, (answer) => {
      let text = ""
      answer.setEncoding("utf8")
      answer.on("data", (piece: string) => {
        text += piece
        if (text.length > longestAnswer) answer.destroy(new Error("the list of sessions is too long"))
      })
      answer.on("end", () => resume(Effect.succeed(text)))
      answer.on("error", (cause) => resume(Effect.fail(cause)))
    })
    asked.on("error", (cause) => resume(Effect.fail(cause)))
    asked.end()
    return Effect.sync(() => asked.destroy())
  }).pipe(Effect.timeout(answerTime), Effect.flatMap(decodeSessions))

/** It is tried again at the next look. */
const warning = <R>(look: Effect.Effect<void, RelayUnavailable, R>) =>
  Effect.catch(look, ({ message }) => Effect.logWarning(`idle relays cannot be stopped: ${message}`))

const make = Effect.gen(function*() {
  const { idle_timeout } = yield* LabConfig
  const presence = yield* Presence
  const runtimes = yield* UserRelays
  /** When each relay was last needed, as far as this process knows, in ms. */
  const needed = new Map<string, number>()

  /** When the relay was last needed; now, while it is. */
  const lastNeeded = Effect.fnUntraced(function*(relay: Running, now: number) {
    if (presence.has(relay.user)) return now
    const before = needed.get(relay.id) ?? now
    return yield* ask(relay.address).pipe(
      Effect.map(({ sessions }) =>
        sessions.some(({ clients, state }) => state === "running" || clients > 0)
          ? now
          : Math.max(before, ...sessions.map(({ last_active_at }) => last_active_at * 1000))
      ),
      // A relay that does not answer is of no use to anybody.
      Effect.catch(() => Effect.succeed(before))
    )
  })

  const look = Effect.fnUntraced(function*(relay: Running) {
    const now = yield* Clock.currentTimeMillis
    const last = yield* lastNeeded(relay, now)
    needed.set(relay.id, last)
    if (now - last < idle_timeout * 1000 || presence.has(relay.user)) return
    yield* Effect.logInfo(
      `nobody has needed the relay of ${relay.user.id} for ${idle_timeout} s: stopping it`
    )
    yield* runtimes.stop(relay)
  })

  const sweep = Effect.gen(function*() {
    const relays = yield* runtimes.running
    const ids = new Set(relays.map(({ id }) => id))
    for (const id of needed.keys()) if (!ids.has(id)) needed.delete(id)
    yield* Effect.forEach(relays, (relay) => warning(look(relay)), { concurrency: 8, discard: true })
  })

  if (idle_timeout === 0) return
  const pause = Duration.seconds(Math.min(60, idle_timeout / 4))
  yield* warning(sweep).pipe(Effect.repeat(Schedule.spaced(pause)), Effect.forkScoped)
})

export const layer = Layer.effectDiscard(make)
