/**
 * Sender: who sent the command that a session is carrying out.
 *
 * The session provides it around each command, so that its effects can be journaled with their cause. Empty if an app that
 * embeds the relay gives commands without saying for whom.
 */
import { Context } from "effect"
import type { Doer } from "../access/Audit.js"

export const Sender = Context.Reference<Sender.Fields>("ai-relay/services/Sender", {
  defaultValue: () => ({})
})

/** What an agent that uses the relay's tools goes by, in place of a token's name. */
export const agentName = (session_id: string): string => `session ${session_id}`

export declare namespace Sender {
  interface Fields extends Doer {
    /** The command is a prompt that hit a limit, sent again. */
    readonly resumes?: true
  }
}
