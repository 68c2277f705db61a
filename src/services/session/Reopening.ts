/** Reopening: what a handshake asks for when its session was there before. */
import { Effect, Option } from "effect"
import { BadHandshake } from "../../adapters/AdapterError.js"
import type { Handshake } from "../../schema/index.js"
import type { SessionRecord } from "../journal/SessionRecord.js"

/** A handshake that leaves no doubt about agent and folder. */
export type Complete = Handshake & { readonly tool: string; readonly folder: string }

/**
 * The session as it was opened, changed where the handshake says so, going on with the agent's own conversation. Another
 * agent cannot go on with it.
 */
export const resolveHandshake = (
  handshake: Handshake,
  kept: Option.Option<SessionRecord>
): Effect.Effect<Complete, BadHandshake> => {
  const before = Option.getOrUndefined(kept)
  const { model, native_session_id, on_limit, permission_mode, tool: usedTool } = before?.summary ?? {}
  const tool = handshake.tool ?? before?.handshake.tool ?? "claude"
  if (
    before !== undefined && handshake.tool !== undefined && ![usedTool, before.handshake.tool].includes(tool)
  ) {
    return new BadHandshake({
      reason:
        `the session "${before.summary.session_id}" is one of ${usedTool}: leave \`tool\` out, or choose another session_id`
    })
  }
  return Effect.succeed({
    ...before?.handshake,
    ...(native_session_id !== undefined && { native_session_id }),
    ...(on_limit !== undefined && { on_limit }),
    // Not the one it was opened with: somebody may have chosen a stricter one since.
    ...(permission_mode !== undefined && { permission_mode }),
    ...(model !== undefined && { model }),
    ...handshake,
    tool,
    folder: handshake.folder ?? before?.handshake.folder ?? "."
  })
}
