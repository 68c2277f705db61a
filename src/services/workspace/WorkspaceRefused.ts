/** WorkspaceRefused: something beside the conversation was not shown, or not done; `reason` says why, and what to do. */
import { Schema } from "effect"

export class WorkspaceRefused extends Schema.TaggedError<WorkspaceRefused>()("WorkspaceRefused", {
  /**
   * - `missing`: it is not there.
   * - `forbidden`: it is not shown, or not allowed, to anybody, or to this client.
   * - `wrong`: it cannot be asked so.
   * - `conflict`: not as things are now.
   * - `too_large`: it is above a bound.
   */
  why: Schema.Literals(["missing", "forbidden", "wrong", "conflict", "too_large"]),
  reason: Schema.String
}) {
  override get message() {
    return this.reason
  }
}

export const refuse = (why: WorkspaceRefused["why"], reason: string) => new WorkspaceRefused({ why, reason })
