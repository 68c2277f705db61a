/** checkpointRoutes: the turns of a session one can go back to before, and what that would change. */
import { Effect, Schema } from "effect"
import { SessionId } from "../schema/index.js"
import { isWithin, Principal } from "../services/access/Principal.js"
import { SessionNotFound } from "../services/journal/Journal.js"
import { SessionRegistry } from "../services/session/SessionRegistry.js"
import { type Answer, Refused, sendJson } from "./Call.js"

const isSessionId = Schema.is(SessionId)

/** Only a live session's folder is looked at: opening it is what looks whether that is allowed still. */
const liveOf = Effect.fnUntraced(function*(session_id: string) {
  const session = isSessionId(session_id) ? (yield* SessionRegistry).live(session_id) : undefined
  if (session === undefined || !isWithin(yield* Principal, session.log.summary())) {
    return yield* new SessionNotFound({ session_id })
  }
  return session
})

export const list: Answer<"/sessions/{session_id}/checkpoints"> = Effect.fnUntraced(
  function*({ params, response }) {
    const { rewinds } = yield* liveOf(params.session_id)
    yield* sendJson(response, 200, yield* rewinds.list)
  }
)

export const preview: Answer<"/sessions/{session_id}/checkpoints/{turn}"> = Effect.fnUntraced(
  function*({ params, response }) {
    const { rewinds } = yield* liveOf(params.session_id)
    const turn = Number(params.turn)
    if (!Number.isSafeInteger(turn) || turn < 1) {
      return yield* new Refused({ status: 409, code: "bad_command", reason: "name a turn, from 1 on" })
    }
    const shown = yield* Effect.mapError(
      rewinds.preview(turn),
      ({ reason }) => new Refused({ status: 409, code: "bad_command", reason })
    )
    yield* sendJson(response, 200, shown)
  }
)
