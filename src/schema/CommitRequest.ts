/** CommitRequest: which files of a session's folder to stage or commit, and with what message. */
import { Schema } from "effect"

/** Most characters of a message, and most named files. */
export const longestCommitMessage = 20_000
export const mostCommitFiles = 5000

export const CommitRequest = Schema.Struct({
  message: Schema.String.check(Schema.isMaxLength(longestCommitMessage)),
  /** Paths relative to the session's folder, committed as they are on disk. Absent: what is staged. */
  files: Schema.optionalKey(Schema.Array(Schema.String).check(Schema.isMaxLength(mostCommitFiles))),
  /** Whether to run the repository's hooks, filters and signing. Absent: if there are any they run, or the commit is refused. */
  hooks: Schema.optionalKey(Schema.Boolean)
})
export type CommitRequest = typeof CommitRequest.Type

export const StageRequest = Schema.Struct({
  /** From the session's folder. */
  files: Schema.Array(Schema.String).check(Schema.isMaxLength(mostCommitFiles)),
  /** As they are on disk; `false`: as in the last commit, which changes nothing on disk. */
  staged: Schema.Boolean
})
export type StageRequest = typeof StageRequest.Type
