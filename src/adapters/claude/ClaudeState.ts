/** ClaudeState: what the relay remembers of one conversation with Claude, from message to message. */
import type { NativeBlock } from "../../schema/ContentBlock.js"
import type { Encoding } from "../Adapter.js"
import { CallIds } from "../wire/CallIds.js"
import { makeContextMeter } from "../wire/contextMeter.js"
import * as CallUsage from "./callUsage.js"
import { makeOpenCalls, type OpenCalls } from "./openCalls.js"
import { makeSteeredPrompts, type SteeredPrompts } from "./steeredPrompts.js"
import { makeStreamState, type StreamState } from "./streamEvent.js"

export interface ClaudeState extends StreamState {
  model: string | undefined
  /** Why the last model call of this turn stopped; newer results say it themselves. */
  stop_reason: string | undefined
  /** `total_cost_usd` of the last result; undefined: a past conversation goes on, nobody knows what it had cost. */
  cost: number | undefined
  /** The `uuid` of a prompt Claude has not taken up yet. */
  unread_prompt: string | undefined
  /** Prompts handed to a running turn, until Claude says that it has read them. */
  readonly steered: SteeredPrompts
  /** Claude was told to stop this turn, or says that it was. */
  interrupted: boolean
  /** It has begun a turn by itself that has not ended. */
  ownTurn: boolean
  /** The last words of this turn's main thread. */
  said: (() => string) | undefined
  /** How many messages have come. */
  heard: number
  /** Tool calls of background tasks, by task id. */
  readonly tasks: Map<string, string>
  readonly openCalls: OpenCalls
  /** Results of this turn that came before their calls. */
  early: ReadonlyArray<EarlyResult>
  /** How the texts of the message that is read were decoded. */
  encoding: Encoding | undefined
  readonly calls: CallUsage.Calls
  readonly warn: ReturnType<typeof makeContextMeter>
  /** A turn runs, as the session sees it. */
  readonly inTurn: () => boolean
}

export interface EarlyResult {
  readonly native: string
  readonly block: NativeBlock
  readonly parent: string | undefined
  /** What is told of it beside the message. */
  readonly changed: unknown
}

export const makeState = (
  inTurn: () => boolean,
  isResumed: boolean,
  ids = new CallIds()
): ClaudeState => ({
  ...makeStreamState(ids),
  model: undefined,
  stop_reason: undefined,
  cost: isResumed ? undefined : 0,
  unread_prompt: undefined,
  steered: makeSteeredPrompts(),
  interrupted: false,
  ownTurn: false,
  said: undefined,
  heard: 0,
  tasks: new Map(),
  openCalls: makeOpenCalls(ids),
  early: [],
  encoding: undefined,
  calls: CallUsage.make(),
  warn: makeContextMeter(),
  inTurn
})
