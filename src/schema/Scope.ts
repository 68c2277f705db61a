/**
 * Scope: rights at a relay.
 *
 * - `view`: read sessions.
 * - `prompt`: open sessions, send prompts, stop turns, end sessions.
 * - `approve`: answer agents' requests, and choose what they may do without asking.
 * - `terminal`: open terminals and type into them.
 * - `admin`: everything, including what concerns the whole relay.
 */
import { Schema } from "effect"

export const Scope = Schema.Literals(["view", "prompt", "approve", "terminal", "admin"])
export type Scope = typeof Scope.Type
export const scopes = Scope.literals
