/**
 * serveSocket: joins one WebSocket of a user to their relay.
 *
 * The request (a header, a cookie) or the handshake's `token` identifies the user. The token is not
 * forwarded, because the relay has a token of its own; everything after the handshake passes unchanged.
 */
import { Effect, Option, Redacted, Schema } from "effect"
import { WebSocket } from "ws"
import type { ClientSocket, Frame } from "./ClientSocket.js"
import type { FrameBudget } from "./FrameBudget.js"
import { LabConfig } from "./LabConfig.js"
import { pipeFrames } from "./pipeFrames.js"
import { Presence } from "./Presence.js"
import type { User } from "./User.js"
import { RelayUnavailable, type Running, UserRelays } from "./UserRelays.js"
import { UnknownUser, Users, type Visitor } from "./Users.js"

/** Close codes (RFC 6455): not allowed, and try again later. */
const refused = 1008
const tryAgain = 1013

const handshakeTime = "10 seconds"

const readHandshake = Schema.decodeOption(
  Schema.fromJsonString(Schema.StructWithRest(
    Schema.Struct(
      { token: Schema.optional(Schema.String) }
    ),
    [Schema.Record(Schema.String, Schema.Unknown)]
  ))
)

/** The handshake's user, and the part of it that is for the relay. */
const ofHandshake = Effect.fnUntraced(function*(client: ClientSocket, visitor: Visitor) {
  const text = yield* client.first.pipe(
    Effect.mapError(() =>
      new UnknownUser({ reason: "the handshake is too long: send images in commands after it" })
    ),
    Effect.timeoutOrElse({
      duration: handshakeTime,
      orElse: () =>
        Effect.fail(
          new UnknownUser({ reason: `no handshake within ${handshakeTime}: send it as the first frame` })
        )
    })
  )
  const { token, ...handshake } = Option.getOrElse(readHandshake(text), () => ({ token: undefined }))
  const admitted = yield* Effect.flatMap(Users, (users) => users.ofToken(visitor, token))
  return { ...admitted, handshake: JSON.stringify(handshake) }
})

/** An open socket to the relay. */
const dial = (
  { address: { host, port, token }, user }: Running,
  path: string,
  ws_timeout: number,
  frames: FrameBudget
) =>
  Effect.acquireRelease(
    Effect.callback<WebSocket, RelayUnavailable>((resume) => {
      const relay = new WebSocket(`ws://${host}:${port}${path}`, {
        headers: { authorization: `Bearer ${Redacted.value(token)}` },
        perMessageDeflate: false,
        skipUTF8Validation: true,
        autoPong: false,
        maxPayload: frames.most,
        handshakeTimeout: ws_timeout * 1000
      })
      relay.once("upgrade", ({ socket }) => relay.once("close", frames.watch(relay, socket)))
      relay.once("open", () => resume(Effect.succeed(relay)))
      // The listener stays: a late error must not end the process.
      relay.on("error", ({ message }) =>
        resume(
          Effect.fail(new RelayUnavailable({ reason: `the relay of ${user.id} does not answer: ${message}` }))
        ))
      return Effect.sync(() => relay.terminate())
    }),
    (relay) => Effect.sync(() => relay.terminate())
  )

const join = Effect.fn("serveSocket.join")(
  function*(
    client: ClientSocket,
    user: User,
    path: string,
    handshake: string | undefined,
    budget: FrameBudget
  ) {
    const runtimes = yield* UserRelays
    const { ws_timeout } = yield* LabConfig
    const connect = (running: Running) => dial(running, path, ws_timeout, budget)
    const relay = yield* runtimes.reach(user).pipe(
      Effect.flatMap((running) =>
        // It may have been stopped, because nobody needed it, just when it was needed.
        Effect.catch(connect(running), () => Effect.flatMap(runtimes.reach(user), connect))
      )
    )
    yield* Effect.acquireRelease(
      Effect.sync(() => budget.watch(client.ws, client.socket)),
      (stop) => Effect.sync(stop)
    )
    const [first, ...more] = client.release()
    const frames: ReadonlyArray<Frame | undefined> = [
      handshake === undefined ? first : { data: handshake, binary: false },
      ...more
    ]
    for (const frame of frames) {
      if (frame !== undefined) relay.send(frame.data, { binary: frame.binary, compress: false, fin: true })
    }
    yield* pipeFrames(client.ws, relay)
  },
  Effect.scoped
)

export const serveSocket = Effect.fn("serveSocket")(
  function*(
    client: ClientSocket,
    visitor: Visitor,
    path: string,
    budget: FrameBudget,
    onAdmitted: () => void = () => {}
  ) {
    const presence = yield* Presence
    const known = yield* Effect.flatMap(Users, (users) => users.ofRequest(visitor))
    const { ended, handshake, user } = known === undefined
      ? yield* ofHandshake(client, visitor)
      : { ...known, handshake: undefined }
    onAdmitted()
    yield* presence.enter(user)
    yield* Effect.annotateLogs(join(client, user, path, handshake, budget), { user: user.id }).pipe(
      // No relay frame comes between this and the close.
      Effect.raceFirst(Effect.flatMap(ended, (reason) => Effect.fail(new UnknownUser({ reason }))))
    )
  },
  (served, client) =>
    served.pipe(
      Effect.catchTags({
        TooManyAttempts: ({ message }) => client.refuse("overloaded", message, tryAgain),
        UnknownUser: ({ message }) => client.refuse("unauthorized", message, refused),
        TooManyConnections: ({ message }) => client.refuse("overloaded", message, tryAgain),
        RelayUnavailable: ({ message }) =>
          Effect.andThen(
            Effect.logError(message),
            client.refuse("internal", `${message}. Connect again later`, tryAgain)
          )
      }),
      Effect.scoped
    )
)
