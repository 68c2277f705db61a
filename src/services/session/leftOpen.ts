/**
 * leftOpen: what settles a session whose relay was killed in the middle of a turn. The session says it when it is opened
 * again; who reads what is kept of it before that may show the same.
 */
import { type EventBody, RequestId, type Usage } from "../../schema/index.js"

export interface LeftOpen {
  /** Permissions that waited for an answer, and prompts that waited for a turn's end. */
  readonly pending: ReadonlyArray<string>
  readonly queued?: ReadonlyArray<string> | undefined
  readonly open_turn?: number | undefined
}

/** None, if nothing was left open. `usage`: what the turn had used. */
export const leftOpen = (before: LeftOpen, usage?: Usage): ReadonlyArray<EventBody> => {
  const metadata = { reason: "relay_restart" }
  return [
    ...before.pending.map((request_id): EventBody => ({
      type: "permission_cancelled",
      request_id: RequestId.make(request_id),
      text: "The relay was restarted before anybody answered.",
      metadata
    })),
    ...(before.queued ?? []).map((message_id): EventBody => ({
      type: "input_ack",
      status: "cancelled",
      message_id
    })),
    ...before.open_turn === undefined ? [] : [
      {
        type: "error",
        code: "turn_failed",
        text: "The relay was restarted in the middle of this turn. The conversation goes on; ask again.",
        metadata
      } as const,
      {
        type: "turn_end",
        stop_reason: "error",
        ...(usage !== undefined && { usage }),
        metadata
      } as const
    ]
  ]
}
