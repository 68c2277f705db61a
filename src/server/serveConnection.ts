/**
 * serveConnection: one client, from its handshake to its close.
 *
 * Errors become `error` events here: the client is told what went wrong and what to change before the socket closes.
 */
import { Cause, Effect, Result } from "effect"
import { BadHandshake } from "../adapters/AdapterError.js"
import {
  type BodyOf,
  type ClientCommand,
  decodeHandshake,
  type Handshake,
  type JsonBounds
} from "../schema/index.js"
import { socketRoutes } from "../schema/routes.js"
import { Auth, Unauthorized, type Visitor } from "../services/access/Auth.js"
import { demand, demandReach, Principal } from "../services/access/Principal.js"
import { whyFailed } from "../services/internalError.js"
import { Sender } from "../services/session/Sender.js"
import { type Joined, SessionRegistry } from "../services/session/SessionRegistry.js"
import { type RelayError, toErrorEvent } from "../services/session/toErrorEvent.js"
import type { Connection, FellBehind } from "./Connection.js"
import { serverDefaults, type ServerSettings } from "./ServerConfig.js"
import { serveSessionList } from "./serveSessionList.js"

/**
 * Close codes (RFC 6455): the session ended; the handshake was refused; internal error; try again later with `after_seq`;
 * the relay is shutting down.
 */
const ended = 1000
const refused = 1008
const atFault = 1011
const tryAgain = 1013
const restarting = 1012

type Bounds = Pick<ServerSettings, "handshake_timeout" | "max_json_depth" | "max_json_values">

const jsonBounds = ({ max_json_depth, max_json_values }: Bounds): JsonBounds => ({
  levels: max_json_depth,
  values: max_json_values
})

const receiveHandshake = (connection: Connection, { handshake_timeout, ...bounds }: Bounds) =>
  connection.opening.pipe(
    Effect.timeoutOrElse({
      duration: `${handshake_timeout} seconds`,
      orElse: () =>
        Effect.fail(
          new BadHandshake({
            reason: `no handshake within ${handshake_timeout} s: send it as the first frame`
          })
        )
    }),
    Effect.flatMap((frame) =>
      Effect.fromResult(
        Result.mapError(decodeHandshake(frame, jsonBounds({ handshake_timeout, ...bounds })), (reason) =>
          new BadHandshake({ reason }))
      )
    )
  )

/** Details of an internal error go to the relay's log, never to the client. */
const faultOf = (defect: unknown): BodyOf<"error"> => ({
  type: "error",
  code: "internal",
  text: `the relay could not go on because ${whyFailed(defect)}, and connect again`,
  metadata: { fatal: true }
})

const joinedAs = (connection: number): BodyOf<"status"> => ({
  type: "status",
  status: "joined",
  metadata: { connection }
})

const pong: BodyOf<"status"> = { type: "status", status: "pong" }

/** Passes the client's commands to its session. Frames that are not commands are answered here. */
const relayCommands = (
  connection: Connection,
  submit: Joined["submit"]
): Effect.Effect<never> => {
  const obey = (command: ClientCommand) =>
    (command.type === "ping" ? connection.tell(pong) : submit(command)).pipe(
      Effect.catch(({ _tag, message }) =>
        connection.tell({
          type: "error",
          code: _tag === "NotDriving" ? "not_driving" : "forbidden",
          text: message,
          ...(command.message_id !== undefined && { message_id: command.message_id })
        })
      )
    )
  return connection.receive.pipe(
    Effect.flatMap((decoded) =>
      Result.match(decoded, {
        onFailure: ({ problem, ...named }) =>
          connection.tell({ type: "error", code: "bad_command", text: problem, ...named }),
        onSuccess: obey
      })
    ),
    Effect.forever
  )
}

/** Serves an authenticated client: opens its session, passes on its commands, sends it events. */
const converse = Effect.fnUntraced(function*(connection: Connection, handshake: Handshake) {
  if (handshake.watch !== undefined) {
    yield* serveSessionList(connection)
    return yield* connection.close(restarting, "the relay is shutting down")
  }
  const registry = yield* SessionRegistry
  const { attached, session, submit } = yield* registry.join(handshake)
  yield* Effect.logInfo(`${attached ? "attached to" : "opened"} session ${session.id}`).pipe(
    Effect.annotateLogs({ tool: session.log.summary().tool })
  )
  const last = attached ? session.log.lastSeq() : session.since
  // An `after_seq` beyond the last event belongs to an earlier session of this name, so everything is sent.
  const { after_seq: asked = last } = handshake
  const after_seq = asked > last ? 0 : asked
  const greeting = attached ? session.describe() : undefined
  const { connection: number } = yield* Sender
  // A client must know whether it is the driver.
  const own = session.drivers.isOne && number !== undefined ? joinedAs(number) : undefined
  yield* connection.follow(session.log, { after_seq, greeting, own, raw: handshake.raw ?? true }).pipe(
    Effect.raceFirst(relayCommands(connection, submit)),
    Effect.andThen(connection.close(ended, "the session has ended"))
  )
})

export const serveConnection = Effect.fnUntraced(
  function*(
    connection: Connection,
    visitor: Visitor,
    bounds: Bounds = serverDefaults,
    onAdmitted: () => void = () => {}
  ) {
    const auth = yield* Auth
    const by = yield* Sender

    const handshake = yield* receiveHandshake(connection, bounds)
    const principal = yield* auth.admit(visitor, handshake.token, handshake.ticket)
    onAdmitted()
    yield* Effect.logInfo(`connected from ${visitor.address}`)
    const { path, reach, scope } = socketRoutes.session
    yield* demand(principal, scope, `a connection to ${path}`)
    yield* demandReach(principal, reach, `a connection to ${path}`)
    const { front } = handshake
    yield* converse(connection, handshake).pipe(
      Effect.provideService(Principal, principal),
      Effect.provideService(Sender, {
        ...by,
        ...(principal.name !== undefined && { token: principal.name }),
        ...(front !== undefined && { front })
      }),
      Effect.raceFirst(Effect.flatMap(principal.ended, (reason) => new Unauthorized({ reason })))
    )
  },
  (served, connection) =>
    served.pipe(
      Effect.catch((error) =>
        error._tag === "FellBehind"
          ? sayGoodbye(connection, cutOff(error), tryAgain)
          : sayGoodbye(connection, toErrorEvent(error), isForNow(error) ? tryAgain : refused)
      ),
      Effect.catchDefect((defect) =>
        Effect.logError("Internal error while serving this connection.", Cause.die(defect)).pipe(
          Effect.andThen(connection.tell(faultOf(defect))),
          Effect.andThen(connection.close(atFault, "the relay failed"))
        )
      ),
      Effect.raceFirst(connection.gone)
    )
)

/** Whether the same handshake may succeed later. */
const isForNow = (error: RelayError) => toErrorEvent(error).code === "overloaded"

const cutOff = ({ message }: FellBehind): BodyOf<"error"> => ({
  type: "error",
  code: "overloaded",
  text: message
})

const sayGoodbye = (connection: Connection, event: BodyOf<"error">, code: number) =>
  Effect.andThen(connection.tell(event), connection.close(code, event.text))
