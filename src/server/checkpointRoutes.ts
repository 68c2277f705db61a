/** checkpointRoutes: the turns that a session can be rewound to, and what a rewind would change. */
import { Effect } from "effect"
import { isSessionId } from "../schema/index.js"
import { isWithin, Principal } from "../services/access/Principal.js"
import { SessionNotFound } from "../services/journal/Journal.js"
import { SessionRegistry } from "../services/session/SessionRegistry.js"
import { type Answer, Refused, sendJson } from "./Call.js"

/** The live session with this id, if the client may use it. Other sessions are refused: opening one is what checks its folder. */
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
      return yield* new Refused({
        status: 409,
        code: "bad_command",
        reason: "`turn` must be the number of a turn, from 1 on"
      })
    }
    const shown = yield* Effect.mapError(
      rewinds.preview(turn),
      ({ reason }) => new Refused({ status: 409, code: "bad_command", reason })
    )
    yield* sendJson(response, 200, shown)
  }
)
