/**
 * CortexQuery: what a client may request from Snowflake besides answers, with a `raw_request`: `models` lists
 * the available chat models, and `feedback` rates an Analyst answer (`request_id`, `positive`,
 * `feedback_message`).
 *
 * The list is fixed because the token may be able to do more than the client should.
 */
import { Duration, Effect, Option } from "effect"
import type { RequestId } from "../../schema/Ids.js"
import { EventSink } from "../Adapter.js"
import { CommandRefused } from "../AdapterError.js"
import type { CortexAccount } from "./CortexAccount.js"
import { readFields } from "./CortexMessage.js"
import { type CortexRequest, fetchText } from "./CortexRequest.js"
import { toRaw } from "./RequestFailed.js"

const silence = Duration.seconds(30)

/** The request for a method; undefined if it is not on the list. */
export const toQuery = (
  account: CortexAccount,
  method: string,
  params: object = {}
): Effect.Effect<CortexRequest, CommandRefused> => {
  switch (method) {
    case "models":
      return Effect.succeed({ account, path: "/api/v2/cortex/v1/models", silence })
    case "feedback":
      return Effect.succeed({ account, path: "/api/v2/cortex/analyst/feedback", body: params, silence })
    default:
      return new CommandRefused({
        reason: `Cortex takes the requests "models" and "feedback", not "${method}"`
      })
  }
}

/** Send the request and report the outcome as its `control_response`. */
export const answer = Effect.fn("CortexQuery.answer")(function*(request_id: RequestId, query: CortexRequest) {
  const sink = yield* EventSink
  yield* fetchText(query).pipe(
    Effect.match({
      onFailure: ({ raw, text }) =>
        sink.emit({ type: "control_response", request_id, status: "error", text }, raw),
      onSuccess: (text) => {
        const content = Option.getOrUndefined(readFields(text))
        sink.emit(
          { type: "control_response", request_id, status: "ok", ...(content !== undefined && { content }) },
          content && toRaw(text, content)
        )
      }
    })
  )
})
