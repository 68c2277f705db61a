/**
 * inProcess: the session port for the relay in this process.
 */
import { Effect, Layer, Result, Stream } from "effect"
import { readCommand, readHandshake, type SessionId } from "../schema/index.js"
import { routes } from "../schema/routes.js"
import { demand, Principal } from "../services/access/Principal.js"
import { AgentFindings } from "../services/agents/AgentFindings.js"
import { eventsIn } from "../services/log/EventLog.js"
import { batchesOf } from "../services/session/batchesOf.js"
import { ClientKey } from "../services/session/Drivers.js"
import { Sender } from "../services/session/Sender.js"
import { SessionRegistry } from "../services/session/SessionRegistry.js"
import { type RelayError, toErrorEvent } from "../services/session/toErrorEvent.js"
import { PortError, type PortSession, SessionPort } from "./SessionPort.js"

const toPortError = (error: RelayError): PortError => {
  const { code, metadata, text } = toErrorEvent(error)
  return new PortError({ code, reason: text, detail: metadata })
}

/** What a front's client sent is held to the same rules as a socket's frames. */
const checked = <A>(decoded: Result.Result<A, string>, code: "bad_handshake" | "bad_command") =>
  Effect.fromResult(Result.mapError(decoded, (reason) => new PortError({ code, reason })))

/** The log disconnects a reader that is too slow. */
const tooSlow = (session_id: string) =>
  new PortError({
    code: "overloaded",
    reason: `the events of session ${session_id} were read too slowly: resume after the last one you have`
  })

const make = Effect.gen(function*() {
  const registry = yield* SessionRegistry
  const findings = yield* AgentFindings

  const join: SessionPort["Service"]["join"] = Effect.fn("SessionPort.join")(
    function*({ after_seq: _, ...given }) {
      const handshake = yield* checked(readHandshake(given), "bad_handshake")
      const { front } = handshake
      const by = yield* Sender
      const sender = front === undefined ? by : { ...by, front }
      const { session_id: agent } = yield* Principal
      const { attached, session, submit } = yield* Effect.mapError(registry.join(handshake), toPortError)
        .pipe(
          Effect.provideService(Sender, sender),
          // A front that joins anew with each request is still the same client.
          Effect.provideService(
            ClientKey,
            by.connection !== undefined ? undefined : JSON.stringify([front, by.token, by.address, agent])
          )
        )
      const { log } = session
      const last_seq = attached ? log.lastSeq() : session.since
      const orTooSlow = <A>(events: Stream.Stream<A>) =>
        Stream.catchCause(events, () => Stream.fail(tooSlow(session.id)))
      const joined: PortSession = {
        session_id: session.id,
        attached,
        start: session.describe(),
        last_seq,
        submit: (given) =>
          Effect.flatMap(
            checked(readCommand(given), "bad_command"),
            (command) => Effect.mapError(Effect.provideService(submit(command), Sender, sender), toPortError)
          ),
        now: Effect.sync(() => log.summary()),
        history: (after_seq) =>
          after_seq >= last_seq
            ? Stream.empty
            : Stream.takeUntil(orTooSlow(eventsIn(batchesOf(log, after_seq))), ({ seq }) => seq >= last_seq),
        events: orTooSlow(log.tail(last_seq))
      }
      return joined
    }
  )

  const read = (session_id: SessionId, after_seq: number) =>
    Effect.map(
      Effect.mapError(registry.read(session_id, after_seq), toPortError),
      (batches) =>
        batches === undefined
          ? undefined
          : Stream.catchCause(eventsIn(batches), () => Stream.fail(tooSlow(session_id)))
    )

  const forget = (session_id: SessionId) =>
    Principal.pipe(
      Effect.flatMap((principal) => demand(principal, routes.forgetSession.scope, "removing a session")),
      Effect.andThen(registry.forget(session_id)),
      Effect.mapError(toPortError)
    )

  const agents = Effect.zipWith(
    findings.all,
    Principal,
    (found, { limits }) => found.filter(({ tool }) => limits?.agents?.includes(tool) ?? true)
  )

  return SessionPort.of({ join, forget, list: registry.list, listing: registry.listing, read, agents })
})

/** Uses the `Sender` of the fiber that joins. */
export const layer = Layer.effect(SessionPort, make)
