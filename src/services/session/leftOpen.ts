/**
 * leftOpen: the events that settle a session whose relay was killed during a turn. The session logs them when it is opened
 * again; readers of the saved events may show the same before that.
 */
import { type EventBody, RequestId, type Usage } from "../../schema/index.js"

export interface LeftOpen {
  /** Permission requests without an answer, and queued prompts. */
  readonly pending: ReadonlyArray<string>
  readonly queued?: ReadonlyArray<string> | undefined
  readonly open_turn?: number | undefined
}

/** Empty if nothing was left open. `usage`: what the turn had used. */
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
        text:
          "The relay was restarted during this turn. The conversation can continue; send the prompt again.",
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
