/**
 * translate: what each of an agent's updates means, as events. Synchronous and without effects; what it remembers of a
 * conversation is in `AcpState`. The first event of an update carries the native line as `raw`.
 */
import { Match } from "effect"
import type { EventBody, Usage } from "../../schema/index.js"
import { dollars, makeContextMeter, percentOf } from "../wire/contextMeter.js"
import { status } from "../wire/statusEvent.js"
import type { AcpAgent, AcpQuirks, Tokens } from "./AcpAgent.js"
import type { Chunk, SessionUpdate, ToolFields, UsageUpdate } from "./AcpMessage.js"
import { type Choices, makeChoices } from "./choices.js"
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
}

export const makeState = (agent: AcpAgent, allowedModes?: ReadonlyArray<string>): AcpState => {
  const quirks = agent.quirks ?? {}
  return {
    sessionId: undefined,
    cancelling: false,
    quirks,
    speech: makeSpeech(),
    tools: makeToolCalls(quirks),
    choices: makeChoices(agent, allowedModes),
    warn: makeContextMeter(),
    context: {},
    cost: undefined,
    cost_before: 0,
    beside: undefined,
    tokens_before: {},
    tokens: {},
    modes_told: 0
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

const tool = (update: ToolFields, { speech, tools }: AcpState): Events => {
  const told = tools.update(update)
  if (told.some(({ type }) => type === "tool_call")) speech.forget()
  return told.length > 0 ? told : [{ type: "stream_event", tool_use_id: update.toolCallId }]
}

const marks: Record<string, string> = { completed: "[x]", in_progress: "[>]" }

const usage = (update: typeof UsageUpdate.Type, state: AcpState): Events => {
  const { cost, size, used } = update
  const context_pct = percentOf(used, size)
  state.context = { context_tokens: used, context_window: size }
  state.cost = cost?.amount ?? state.cost
  const metadata = {
    context_tokens: used,
    context_window: size,
    context_pct,
    ...(cost && { cost }),
    ...(state.cost !== undefined && { usage: { cost_usd: dollars(state.cost - state.cost_before) } })
  }
  return [
    status("usage", undefined, metadata),
    ...state.warn(context_pct),
    ...state.quirks.onUsage?.(update) ?? []
  ]
}

/** Events of an update; `endedBy` was told before. */
export const translate = (update: SessionUpdate, state: AcpState): Events =>
  Match.value(update).pipe(
    Match.withReturnType<Events>(),
    Match.discriminatorsExhaustive("sessionUpdate")({
      user_message_chunk: (update) => piece(update, state),
      agent_message_chunk: (update) => piece(update, state),
      agent_thought_chunk: (update) => piece(update, state),
      tool_call: (update) => tool(update, state),
      tool_call_update: (update) => tool(update, state),
      plan: ({ entries }) => {
        const lines = entries.map(({ content, status = "" }) => `${marks[status] ?? "[ ]"} ${content}`)
        return [status("plan", lines.join("\n"), { entries })]
      },
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
      config_option_update: ({ configOptions }) => {
        const before = state.choices.model()?.current
        state.choices.configured(configOptions)
        const model = state.choices.model()?.current
        const permission_mode = state.choices.mode()?.current
        if (permission_mode !== undefined) state.modes_told += 1
        return [status("config", undefined, {
          options: configOptions,
          ...(permission_mode !== undefined && { permission_mode }),
          ...(model !== undefined && model !== before && { model })
        })]
      },
      session_info_update: (
        { title, updatedAt }
      ) => [status("session_info", undefined, { title, updated_at: updatedAt })],
      usage_update: (update) => usage(update, state),
      notice: ({ description, severity, title }) => [
        status("notice", description === undefined ? title : `${title}: ${description}`, { severity })
      ],
      compaction_update: ({ error, status: outcome }) =>
        outcome === "completed"
          ? [{ type: "context_compacted" }]
          : [status("compaction", error, { outcome })]
    })
  )
