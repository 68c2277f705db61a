/** sendEvents: a session's events as Server-Sent Events, one per frame, `id` its `seq`. */
import { Stream } from "effect"
import type { BodyOf } from "../schema/index.js"
import { type Batch, lastSeqOf, textsOf } from "../services/log/frames.js"
import type { Call } from "./Call.js"
import { FellBehind } from "./Connection.js"
import { sendEventStream } from "./eventStream.js"

const toText = (batch: Batch): string =>
  textsOf(batch).map((frame, index) => `id: ${batch.firstSeq + index}\ndata: ${onOneLine(frame)}\n\n`).join(
    ""
  )

/** A native message may contain carriage returns between its tokens, which would end the line here. */
const onOneLine = (frame: string): string => frame.includes("\r") ? frame.replaceAll("\r", " ") : frame

/** An error for this reader only. As on a socket, it has no `seq` of its own, so no cursor moves. */
const toError = (event: Omit<BodyOf<"error">, "type">, seq: number): string =>
  `data: ${JSON.stringify({ type: "error", ...event, seq })}\n\n`

const toGap = (after_seq: number, first_seq: number): string => {
  const text = `events before ${first_seq} are no longer available: the following events start there`
  return toError({ code: "gap", text, metadata: { first_seq } }, after_seq)
}

/**
 * Sends the events after `after_seq` until there are no more or the peer is gone. The log cuts off a peer that reads too
 * slowly; it can connect again with the last id it has.
 */
export const sendEvents = (call: Call, after_seq: number, batches: Stream.Stream<Batch>) => {
  let next = after_seq + 1
  const toTexts = (batch: Batch) => {
    const gap = batch.firstSeq > next ? toGap(next - 1, batch.firstSeq) : ""
    next = lastSeqOf(batch) + 1
    return gap + toText(batch)
  }
  const cutOff = () =>
    toError({ code: "overloaded", text: new FellBehind({ seq: next - 1 }).message }, next - 1)
  return sendEventStream(
    call,
    Stream.catchCause(Stream.map(batches, toTexts), () => Stream.sync(cutOff)),
    { lastWords: (error) => toError(error, next - 1) }
  )
}
