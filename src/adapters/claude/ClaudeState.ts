/**
 * ClaudeState: what the relay remembers of one conversation with Claude between messages.
 */
import type { NativeBlock } from "../../schema/ContentBlock.js"
import type { Encoding } from "../Adapter.js"
import { CallIds } from "../wire/CallIds.js"
import { makeContextMeter } from "../wire/contextMeter.js"
import * as CallUsage from "./callUsage.js"
import type { ModelUsage } from "./ClaudeMessage.js"
import { makeOpenCalls, type OpenCalls } from "./openCalls.js"
import { makeSteeredPrompts, type SteeredPrompts } from "./steeredPrompts.js"
import { makeStreamState, type StreamState } from "./streamEvent.js"

export interface ClaudeState extends StreamState {
  model: string | undefined
  /** Why this turn's last model call stopped; newer results report it themselves. */
  stop_reason: string | undefined
  /** What Claude says went wrong in that call. */
  failure: string | undefined
  /** `total_cost_usd` of the last result; undefined for a resumed conversation whose earlier cost is unknown. */
  cost: number | undefined
  /** Usage of results that ended no turn: it counts in the next one. */
  uncounted: ReadonlyArray<ModelUsage>
  /** `uuid` of a prompt Claude has not read yet. */
  unread_prompt: string | undefined
  /** Prompts sent to a running turn until Claude confirms it has read them. */
  readonly steered: SteeredPrompts
  /** Claude was told to stop this turn, or reports that it was. */
  interrupted: boolean
  /** Claude began a turn on its own that has not ended. */
  ownTurn: boolean
  /** The last text of this turn's main thread. */
  said: (() => string) | undefined
  /** Number of messages received from the main thread. */
  heard: number
  /** Tool calls of background tasks, by task id. */
  readonly tasks: Map<string, string>
  /** Tool servers that were reported as not available. */
  readonly toldServers: Set<string>
  readonly openCalls: OpenCalls
  /** Results of this turn that arrived before their calls. */
  early: ReadonlyArray<EarlyResult>
  /** How the texts of the current message were decoded. */
  encoding: Encoding | undefined
  readonly calls: CallUsage.Calls
  readonly warn: ReturnType<typeof makeContextMeter>
  /** Whether a turn is running, as the session sees it. */
  readonly inTurn: () => boolean
}

export interface EarlyResult {
  readonly native: string
  readonly block: NativeBlock
  readonly parent: string | undefined
  /** The change reported alongside the message. */
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
  failure: undefined,
  cost: isResumed ? undefined : 0,
  uncounted: [],
  unread_prompt: undefined,
  steered: makeSteeredPrompts(),
  interrupted: false,
  ownTurn: false,
  said: undefined,
  heard: 0,
  tasks: new Map(),
  toldServers: new Set(),
  openCalls: makeOpenCalls(ids),
  early: [],
  encoding: undefined,
  calls: CallUsage.make(),
  warn: makeContextMeter(),
  inTurn
})
