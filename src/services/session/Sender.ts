/**
 * Sender: who gave the command that a session carries out at the moment.
 *
 * Provided around each command by the session, so that what a command leads to can be journaled with who wanted it.
 * Empty where an app that embeds the relay gives commands and does not say for whom.
 */
import { Context } from "effect"
import type { Doer } from "../access/Audit.js"

export const Sender = Context.Reference<Sender.Fields>("ai-relay/services/Sender", {
  defaultValue: () => ({})
})

export declare namespace Sender {
  interface Fields extends Doer {
    /** It is a prompt that failed at a limit, sent again. */
    readonly resumes?: true
  }
}
