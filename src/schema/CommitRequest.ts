/** CommitRequest: what of a session's folder is staged, what becomes a commit, and with which words. */
import { Schema } from "effect"

/** Characters a message may have, and files that may be named. */
export const longestCommitMessage = 20_000
export const mostCommitFiles = 5000

export const CommitRequest = Schema.Struct({
  message: Schema.String.check(Schema.isMaxLength(longestCommitMessage)),
  /** From the session's folder, as they are on disk. Absent: what is staged. */
  files: Schema.optionalKey(Schema.Array(Schema.String).check(Schema.isMaxLength(mostCommitFiles))),
  /** Run the repository's hooks, filters and signing. Absent: if there are any, they run, or it is refused. */
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
