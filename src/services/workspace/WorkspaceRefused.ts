/** WorkspaceRefused: an operation on a session's folder was refused; `reason` says why and what to do. */
import { Schema } from "effect"

export class WorkspaceRefused extends Schema.TaggedError<WorkspaceRefused>()("WorkspaceRefused", {
  /**
   * - `missing`: it does not exist.
   * - `forbidden`: it is not allowed, for anybody or for this client.
   * - `wrong`: the request is invalid.
   * - `conflict`: it is not possible in the current state.
   * - `too_large`: it exceeds a limit.
   */
  why: Schema.Literals(["missing", "forbidden", "wrong", "conflict", "too_large"]),
  reason: Schema.String
}) {
  override get message() {
    return this.reason
  }
}

export const refuse = (why: WorkspaceRefused["why"], reason: string) => new WorkspaceRefused({ why, reason })
