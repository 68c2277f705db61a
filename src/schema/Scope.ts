/**
 * Scope: what somebody may do at a relay.
 *
 * - `view`: read sessions.
 * - `prompt`: open sessions, send prompts, stop turns, end sessions.
 * - `approve`: answer what agents ask, and choose how much they may do unasked.
 * - `terminal`: open terminals and type into them.
 * - `admin`: all of it, and what concerns the whole relay.
 */
import { Schema } from "effect"

export const Scope = Schema.Literals(["view", "prompt", "approve", "terminal", "admin"])
export type Scope = typeof Scope.Type
export const scopes = Scope.literals
