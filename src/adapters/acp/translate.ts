/**
 * translate: converts each agent update to events. Synchronous and free of effects; its state per
 * conversation is `AcpState`. An update's first event carries the native line as `raw`.
 */
import { Match, Option, Predicate, Schema } from "effect"
import type { EventBody, Usage } from "../../schema/index.js"
import { CallIds } from "../wire/CallIds.js"
import { dollarsSince, makeContextMeter, percentOf } from "../wire/contextMeter.js"
import { status } from "../wire/statusEvent.js"
import { firstText, textOfBlocks, wordsIn } from "../wire/words.js"
import type { AcpAgent, AcpQuirks, Tokens } from "./AcpAgent.js"
import {
  type Chunk,
  type Compaction,
  type ConfigOption,
  Plan,
  type SessionUpdate,
  type SummaryChunk,
  type ToolFields,
  type UsageUpdate
} from "./AcpMessage.js"
import { type Choices, makeChoices } from "./choices.js"
import { makeSessionMessages, type SessionMessages } from "./sessionMessages.js"
import { makeSpeech, type Speech, toPiece } from "./speech.js"
import { makeToolCalls, type ToolCalls } from "./toolCalls.js"

/** State of one conversation. */
export interface AcpState {
  readonly agent: AcpAgent
  /** The id the agent expects; undefined before the session is open. */
  sessionId: string | undefined
  /** The agent was told to stop this turn. */
  cancelling: boolean
  /** Why the turn failed, told in a message. */
  failure: string | undefined
  readonly quirks: AcpQuirks
  readonly speech: Speech
  readonly tools: ToolCalls
  readonly choices: Choices
  readonly warn: ReturnType<typeof makeContextMeter>
  /** How full the context window is, and the session's cost. */
  context: Pick<Usage, "context_tokens" | "context_window">
  cost: number | undefined
  /** The session's cost before this turn. */
  cost_before: number
  /** Tokens reported with this turn's messages, and those of the session before this turn. */
  beside: Tokens | undefined
  tokens_before: Tokens
  tokens: Tokens
  /** How often the agent has reported its mode. */
  modes_told: number
  /** Compaction summaries that replace the earlier conversation, in chunks. */
  readonly summaries: Map<string, string>
  /** Messages between the conversation and its subagents. */
  readonly messages: SessionMessages
  /** State of one subagent. */
  readonly childState: (thread: string) => AcpState
}

export const makeState = (
  agent: AcpAgent,
  allowedModes?: ReadonlyArray<string>,
  ids = new CallIds(),
  /** A subagent's session. */
  thread?: string
): AcpState => {
  const { failureIn, ...others } = agent.quirks ?? {}
  const quirks = failureIn === undefined || thread !== undefined ? others : { failureIn, ...others }
  return {
    agent,
    sessionId: undefined,
    cancelling: false,
    failure: undefined,
    quirks,
    speech: makeSpeech(),
    tools: makeToolCalls(quirks, ids, thread),
    choices: makeChoices(agent, allowedModes),
    warn: makeContextMeter(),
    context: {},
    cost: undefined,
    cost_before: 0,
    beside: undefined,
    tokens_before: {},
    tokens: {},
    modes_told: 0,
    summaries: new Map(),
    messages: makeSessionMessages(),
    childState: (thread) => makeState(agent, undefined, ids, thread)
  }
}

type Events = ReadonlyArray<EventBody>

const pieceKinds = new Set(["agent_message_chunk", "agent_thought_chunk", "user_message_chunk"])
const contentKinds = new Set([...pieceKinds, "tool_call", "tool_call_update", "plan"])

const isPiece = (update: SessionUpdate): update is Chunk => pieceKinds.has(update.sessionUpdate)

/** Events for what this update completes. Status updates may come in the middle of a message. */
export const endedBy = (update: SessionUpdate, state: AcpState): Events => {
  if (!isPiece(update)) return contentKinds.has(update.sessionUpdate) ? state.speech.end() : []
  if (state.quirks.failureIn?.(update) !== undefined) return state.speech.end()
  return notMessage(update, state.quirks) === undefined ? state.speech.add(update) : []
}

const notMessage = ({ content, sessionUpdate }: Chunk, { notMessage }: AcpQuirks): EventBody | undefined => {
  const text = content["text"]
  return typeof text === "string" ? notMessage?.(text, sessionUpdate) : undefined
}

const sum = (a = 0, b = 0) => a + b

const sumOf = (a: Tokens, b: Tokens): Tokens => ({
  inputTokens: sum(a.inputTokens, b.inputTokens),
  outputTokens: sum(a.outputTokens, b.outputTokens),
  cachedReadTokens: sum(a.cachedReadTokens, b.cachedReadTokens),
  ...((a.cachedWriteTokens ?? b.cachedWriteTokens) !== undefined && {
    cachedWriteTokens: sum(a.cachedWriteTokens, b.cachedWriteTokens)
  })
})

const piece = (update: Chunk, state: AcpState): Events => {
  const { quirks, speech } = state
  const beside = quirks.usageBeside?.(update)
  if (beside !== undefined) state.beside = sumOf(state.beside ?? {}, beside)
  const before = state.failure
  state.failure = quirks.failureIn?.(update)
  // The turn goes on after all.
  const left = before === undefined ? [] : [status("failure", before)]
  if (state.failure !== undefined) return [{ type: "stream_event" }, ...left]
  const event = notMessage(update, quirks)
  if (event?.type === "status" && event.status === "permission_mode") state.modes_told += 1
  if (event !== undefined) return [event, ...left]
  const ends = update.sessionUpdate === "agent_thought_chunk" && quirks.wholeThoughts === true
  return [toPiece(update), ...left, ...ends ? speech.end() : []]
}

const tool = (update: ToolFields, { speech, tools }: AcpState, begins: boolean): Events => {
  const told = tools.update(update, begins)
  if (told.some(({ type }) => type === "tool_call")) speech.forget()
  if (told.length > 0) return told
  const { toolCallId } = update
  return [{ type: "stream_event", ...(toolCallId !== "" && { tool_use_id: tools.nameOf(toolCallId) }) }]
}

const marks: Record<string, string> = { completed: "[x]", in_progress: "[>]" }

const isDollars = (currency = "USD") => /^(usd|us ?\$|\$|)$/i.test(currency.trim())

const usage = (update: typeof UsageUpdate.Type, state: AcpState): Events => {
  const { cost, size, used } = update
  // Costs in another currency stay as the agent reports them.
  if (cost !== undefined && isDollars(cost.currency)) state.cost = cost.amount
  state.context = {
    ...state.context,
    ...(used !== undefined && { context_tokens: used }),
    ...(size !== undefined && { context_window: size })
  }
  const { context_tokens, context_window } = state.context
  const context_pct = context_tokens === undefined || context_window === undefined
    ? undefined
    : percentOf(context_tokens, context_window)
  const metadata = {
    ...state.context,
    ...(context_pct !== undefined && { context_pct }),
    ...(cost && { cost }),
    ...(state.cost !== undefined && { usage: { cost_usd: dollarsSince(state.cost_before, state.cost) } })
  }
  return [
    status("usage", undefined, metadata),
    ...context_pct === undefined ? [] : state.warn(context_pct),
    ...state.quirks.onUsage?.(update) ?? []
  ]
}

const readEntries = Schema.decodeUnknownOption(Schema.Struct({ entries: Plan.fields.entries }))

type Entries = ReadonlyArray<{ readonly content: string; readonly status?: string }>

const planText = (entries: Entries) =>
  entries.map(({ content, status = "" }) => `${marks[status] ?? "[ ]"} ${content}`).join("\n")

const summaryPiece = (
  { compactionId = "", content }: typeof SummaryChunk.Type,
  { summaries }: AcpState
): Events => {
  const before = summaries.get(compactionId) ?? ""
  summaries.set(compactionId, before + textOfBlocks([content]))
  return [{ type: "stream_event", metadata: { update: "compaction_summary_chunk" } }]
}

const compaction = (update: typeof Compaction.Type, { summaries }: AcpState): Events => {
  const { compactionId = "", error, status: outcome = "", summary } = update
  const text = firstText(summary && textOfBlocks(summary)) ?? summaries.get(compactionId)
  if (outcome !== "in_progress" && outcome !== "pending") summaries.delete(compactionId)
  return outcome === "completed"
    ? [{ type: "context_compacted", ...(text !== undefined && text !== "" && { text }) }]
    : [status("compaction", wordsIn(error) ?? (text === "" ? undefined : text), { outcome })]
}

/** An unknown kind of update: its text for people, if it has any. */
export const unknownUpdate = (name: string, update: unknown): Events => {
  const { plan, state, status: word } = (Predicate.isObject(update) ? update : {}) as Record<string, unknown>
  const entries = Option.getOrUndefined(readEntries(plan))?.entries ?? []
  if (entries.length > 0) return [status(name, planText(entries), { entries })]
  const file = Predicate.hasProperty(plan, "uri") ? plan.uri : undefined
  return [status(name, wordsIn(update) ?? firstText(file, word, state), { update: name })]
}

/** Text of a compaction that has not ended. */
export const endSummaries = ({ summaries }: AcpState): Events => {
  const said = [...summaries.values()].filter((text) => text !== "")
  summaries.clear()
  return said.map((text) => status("compaction", text, { outcome: "unknown" }))
}

/** All current session settings. */
export const configured = (options: ReadonlyArray<ConfigOption>, state: AcpState): Events => {
  const before = state.choices.model()?.current
  state.choices.configured(options)
  const model = state.choices.model()?.current
  const permission_mode = state.choices.mode()?.current
  if (permission_mode !== undefined) state.modes_told += 1
  return [status("config", undefined, {
    options,
    ...(permission_mode !== undefined && { permission_mode }),
    ...(model !== undefined && model !== before && { model })
  })]
}

/** Events of an update; emit `endedBy` first. */
export const translate = (update: SessionUpdate, state: AcpState): Events =>
  Match.value(update).pipe(
    Match.withReturnType<Events>(),
    Match.discriminatorsExhaustive("sessionUpdate")({
      user_message_chunk: (update) => piece(update, state),
      agent_message_chunk: (update) => piece(update, state),
      agent_thought_chunk: (update) => piece(update, state),
      tool_call: (update) => tool(update, state, true),
      tool_call_update: (update) => tool(update, state, false),
      plan: ({ entries }) => [status("plan", planText(entries), { entries })],
      available_commands_update: ({ availableCommands }) => {
        // Spelled as in Claude.
        const commands = availableCommands.map(({ description = "", input, name }) => ({
          name,
          description,
          argumentHint: input?.hint ?? ""
        }))
        return [status("commands", undefined, { commands })]
      },
      current_mode_update: ({ currentModeId }) => {
        state.modes_told += 1
        state.choices.nowInMode(currentModeId)
        return [status("permission_mode", undefined, { permission_mode: currentModeId })]
      },
      config_option_update: ({ configOptions }) => configured(configOptions, state),
      session_info_update: (
        { title, updatedAt }
      ) => [status("session_info", undefined, { title, updated_at: updatedAt })],
      usage_update: (update) => usage(update, state),
      notice: ({ description, severity, title }) => [
        status("notice", [title, description].filter((text) => firstText(text) !== undefined).join(": "), {
          severity
        })
      ],
      compaction_update: (update) => compaction(update, state),
      compaction_summary_chunk: (update) => summaryPiece(update, state)
    })
  )
