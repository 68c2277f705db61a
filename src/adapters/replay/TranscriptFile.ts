/** TranscriptFile: the port through which a replay reads its file. */
import { Context, type Effect, Schema } from "effect"

/** The file is not read; `reason` goes on from "the transcript …". */
export class TranscriptUnreadable extends Schema.TaggedError<TranscriptUnreadable>()("TranscriptUnreadable", {
  reason: Schema.String
}) {}

export class TranscriptFile extends Context.Service<TranscriptFile, {
  /** The text of an ordinary file of bearable size. Nothing is waited for: no pipe, no device. */
  readonly read: (file: string) => Effect.Effect<string, TranscriptUnreadable>
}>()("ai-relay/adapters/TranscriptFile") {}
