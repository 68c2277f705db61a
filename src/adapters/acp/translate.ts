/**
 * translate: what each of an agent's updates means, as events. Synchronous and without effects; what it remembers of a
 * conversation is in `AcpState`. The first event of an update carries the native line as `raw`.
 */
import { Match, Option, Predicate, Schema } from "effect"
import type { EventBody, Usage } from "../../schema/index.js"
import { CallIds } from "../wire/CallIds.js"
import { dollars, makeContextMeter, percentOf } from "../wire/contextMeter.js"
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

/** What the relay remembers of one conversation. */
export interface AcpState {
  /** As the agent wants to hear it; undefined before the session is open. */
  sessionId: string | undefined
  /** The agent was told to stop this turn. */
  cancelling: boolean
  readonly quirks: AcpQuirks
  readonly speech: Speech
  readonly tools: ToolCalls
  readonly choices: Choices
  readonly warn: ReturnType<typeof makeContextMeter>
  /** Fill of the context window, and what the session has cost. */
  context: Pick<Usage, "context_tokens" | "context_window">
  cost: number | undefined
  /** What the session had cost before this turn. */
  cost_before: number
  /** Tokens told beside this turn's messages, and those the session had before this turn. */
  beside: Tokens | undefined
  tokens_before: Tokens
  tokens: Tokens
  /** How often the agent has told its mode. */
  modes_told: number
  /** What replaces the conversation so far, in pieces, by compaction. */
  readonly summaries: Map<string, string>
  /** What it and its subagents write to each other. */
  readonly messages: SessionMessages
  /** What there is to remember of a subagent. */
  readonly childState: (thread: string) => AcpState
}

export const makeState = (
  agent: AcpAgent,
  allowedModes?: ReadonlyArray<string>,
  ids = new CallIds(),
  /** The session of a subagent. */
  thread?: string
): AcpState => {
  const quirks = agent.quirks ?? {}
  return {
    sessionId: undefined,
    cancelling: false,
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

/** What this update brings to an end. Statuses may come in the middle of a message. */
export const endedBy = (update: SessionUpdate, state: AcpState): Events => {
  if (!isPiece(update)) return contentKinds.has(update.sessionUpdate) ? state.speech.end() : []
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
  cachedReadTokens: sum(a.cachedReadTokens, b.cachedReadTokens)
})

const piece = (update: Chunk, state: AcpState): Events => {
  const { quirks, speech } = state
  const beside = quirks.usageBeside?.(update)
  if (beside !== undefined) state.beside = sumOf(state.beside ?? {}, beside)
  const event = notMessage(update, quirks)
  if (event?.type === "status" && event.status === "permission_mode") state.modes_told += 1
  if (event !== undefined) return [event]
  const ends = update.sessionUpdate === "agent_thought_chunk" && quirks.wholeThoughts === true
  return [toPiece(update), ...ends ? speech.end() : []]
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
  // What is counted in another currency stays what the agent says.
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
    ...(state.cost !== undefined && { usage: { cost_usd: dollars(state.cost - state.cost_before) } })
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

/** An update of a kind the relay does not know: what it says to people, if it says something. */
export const unknownUpdate = (name: string, update: unknown): Events => {
  const { plan, state, status: word } = (Predicate.isObject(update) ? update : {}) as Record<string, unknown>
  const entries = Option.getOrUndefined(readEntries(plan))?.entries ?? []
  if (entries.length > 0) return [status(name, planText(entries), { entries })]
  const file = Predicate.hasProperty(plan, "uri") ? plan.uri : undefined
  return [status(name, wordsIn(update) ?? firstText(file, word, state), { update: name })]
}

/** What was said of a compaction that has not ended. */
export const endSummaries = ({ summaries }: AcpState): Events => {
  const said = [...summaries.values()].filter((text) => text !== "")
  summaries.clear()
  return said.map((text) => status("compaction", text, { outcome: "unknown" }))
}

/** All settings of the session, as they are now. */
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

/** Events of an update; `endedBy` was told before. */
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
        // Spelled as Claude does.
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
        status("notice", [title, description].filter((text) => text !== undefined).join(": "), { severity })
      ],
      compaction_update: (update) => compaction(update, state),
      compaction_summary_chunk: (update) => summaryPiece(update, state)
    })
  )
