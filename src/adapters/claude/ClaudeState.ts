/** ClaudeState: what the relay remembers of one conversation with Claude, from message to message. */
import { makeContextMeter } from "../wire/contextMeter.js"
import * as CallUsage from "./callUsage.js"
import { makeStreamState, type StreamState } from "./streamEvent.js"

export interface ClaudeState extends StreamState {
  model: string | undefined
  cost: number
  /** The `uuid` of a prompt Claude has not taken up yet. */
  unread_prompt: string | undefined
  /** Tool calls of background tasks, by task id. */
  readonly tasks: Map<string, string>
  readonly calls: CallUsage.Calls
  readonly warn: ReturnType<typeof makeContextMeter>
  /** A turn runs, as the session sees it. */
  readonly inTurn: () => boolean
}

export const makeState = (inTurn: () => boolean): ClaudeState => ({
  ...makeStreamState(),
  model: undefined,
  cost: 0,
  unread_prompt: undefined,
  tasks: new Map(),
  calls: CallUsage.make(),
  warn: makeContextMeter(),
  inTurn
})
