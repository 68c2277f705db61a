/**
 * TranscriptFile: the port through which a replay reads its file.
 */
import { Context, type Effect, Schema } from "effect"

/** The file cannot be read; `reason` continues the sentence "the transcript …". */
export class TranscriptUnreadable extends Schema.TaggedError<TranscriptUnreadable>()("TranscriptUnreadable", {
  reason: Schema.String
}) {}

export class TranscriptFile extends Context.Service<TranscriptFile, {
  /** The text of a regular file within the size limit. Never blocks: pipes and devices are refused. */
  readonly read: (file: string) => Effect.Effect<string, TranscriptUnreadable>
}>()("ai-relay/adapters/TranscriptFile") {}
