/**
 * Sender: who gave the command that a session carries out at the moment.
 *
 * Provided around each command by the session, so that what a command leads to can be journaled with who wanted it.
 * Empty where an app that embeds the relay gives commands and does not say for whom.
 */
import { Context } from "effect"

export const Sender = Context.Reference<Sender.Fields>("ai-relay/services/Sender", {
  defaultValue: () => ({})
})

export declare namespace Sender {
  interface Fields {
    /** The peer's address. */
    readonly address?: string | undefined
    /** The number of its connection, as in the relay's log. */
    readonly connection?: number
    /** The name of its access token. */
    readonly token?: string | undefined
    /** What the person uses, as its handshake names it. */
    readonly front?: string
    /** Whatever the embedding app calls its users. */
    readonly user?: string
    /** Nobody: the schedule of that name. */
    readonly schedule?: string
    /** It is a prompt that failed at a limit, sent again. */
    readonly resumes?: true
  }
}
