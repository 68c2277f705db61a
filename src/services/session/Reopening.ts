/** Reopening: completes a handshake from what is saved of its session. */
import { Effect, Option } from "effect"
import { BadHandshake } from "../../adapters/AdapterError.js"
import type { Handshake } from "../../schema/index.js"
import type { SessionRecord } from "../journal/SessionRecord.js"

/** A handshake with agent and folder. */
export type Complete = Handshake & { readonly tool: string; readonly folder: string }

/**
 * The handshake with the saved session's settings where it has none of its own, to continue the agent's conversation. Fails
 * if it names a different agent, which could not continue it.
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
        `the session "${before.summary.session_id}" belongs to ${usedTool}: leave \`tool\` out, or choose another session_id`
    })
  }
  return Effect.succeed({
    ...before?.handshake,
    ...(native_session_id !== undefined && { native_session_id }),
    ...(on_limit !== undefined && { on_limit }),
    // The last mode, not the first: somebody may have chosen a stricter one since.
    ...(permission_mode !== undefined && { permission_mode }),
    ...(model !== undefined && { model }),
    ...handshake,
    tool,
    folder: handshake.folder ?? before?.handshake.folder ?? "."
  })
}
