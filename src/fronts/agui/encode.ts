/**
 * encode: converts operations to AG-UI events accepted by both its versions: 1.0, and 0.0.59, which most apps
 * have.
 *
 * A run follows the rules clients enforce: RUN_STARTED first, nothing open at RUN_FINISHED and nothing after
 * it, no `null`, no event the older version does not know. Message and call ids come from the log, so a
 * thread keeps its ids when it is sent again. Live tool output (`TOOL_OUTPUT`) is not sent again.
 */
import type { AskOp, Op, OpOf, TextKind } from "../Op.js"
import { toForm } from "../questions.js"
import { open, questions } from "../read.js"

export type AguiEvent = { readonly type: string; readonly [field: string]: unknown }

/** 1.0 supports subagents and cancelled runs; 0.0.59 throws on unknown events. */
export type Dialect = "0.0" | "1.0"

/** What a client already shows; sent again, it would appear twice. */
export interface Shown {
  /** Texts by message id, including results and the person's own. */
  readonly texts: ReadonlyMap<string, string>
  readonly calls: ReadonlySet<string>
}
export const nothingShown: Shown = { texts: new Map(), calls: new Set() }

export interface EncoderOptions {
  readonly dialect: Dialect
  readonly shown: Shown
  /** Begins the ids of the agent's messages and calls, for a client that shows some of an earlier session of this name. */
  readonly prefix?: string
}

export interface Run {
  readonly threadId: string
  readonly runId: string
  /** The client's state: everything but `relay` stays unchanged. */
  readonly state: Readonly<Record<string, unknown>>
  /** The client's position in the session's log. */
  readonly seq: number
}

/** Whether the event stays in a thread, unlike state and notices. */
export const isMessage = ({ type }: AguiEvent): boolean =>
  ["TEXT_MESSAGE_START", "REASONING_START", "TOOL_CALL_START", "TOOL_CALL_RESULT", "ACTIVITY_SNAPSHOT"]
    .includes(type)

/** How a run ends. */
export type Finish =
  | { readonly type: "asked"; readonly asks: ReadonlyArray<AskOp> }
  | { readonly type: "failed"; readonly message: string; readonly code: string }
  | { readonly type: "done" }

export interface Encoder {
  /** Facts about the session that were not sent: they go into the next run's state. */
  readonly learn: (op: Op) => void
  readonly begin: (run: Run) => ReadonlyArray<AguiEvent>
  readonly encode: (op: Op) => ReadonlyArray<AguiEvent>
  /** `seq`: where the next run continues. */
  readonly finish: (run: Run, finish: Finish, seq: number) => ReadonlyArray<AguiEvent>
}

/** Characters of a running tool's output that are sent; the result has all of it. */
const liveOutput = 32 * 1024

/** The exact value assistant-ui shows its card for. */
const approval = {
  type: "object",
  properties: { approved: { type: "boolean" }, reason: { type: "string" }, editedArgs: { type: "object" } },
  required: ["approved"]
}

const interruptOf = (op: AskOp, toolCallId: string): Readonly<Record<string, unknown>> => {
  const { args, expires_at, kind, options, request_id, text: words, tool } = op
  const asked = questions(args)
  const isForm = kind === "question" && asked.length > 0
  return {
    id: request_id,
    reason: isForm ? "input_required" : kind === "plan" ? "confirmation" : "tool_call",
    message: words || (isForm ? asked[0]?.question : undefined) || `May ${tool} run?`,
    toolCallId,
    responseSchema: isForm ? toForm(asked, words).requestedSchema : approval,
    ...(expires_at !== undefined && { expiresAt: new Date(expires_at * 1000).toISOString() }),
    metadata: { kind, tool, args, options }
  }
}

export const make = ({ dialect, prefix = "", shown }: EncoderOptions): Encoder => {
  /** Texts the client already has, by message id, that are still to be encoded. */
  const ahead = new Map(shown.texts)
  /** The session's state, under `state.relay`. */
  const relay: Record<string, unknown> = {}
  let turn = 0
  /** Tools by id: the turn they were called in, and their names. */
  const calls = new Map<string, { readonly turn: number; readonly tool: string; isDone: boolean }>()
  /** How much of each tool's output was sent. */
  const outputs = new Map<string, number>()
  let diffs = 0
  let notices = 0
  /** Subagents of this run. */
  let subagents = new Set<string>()
  let ended: OpOf<"turn_end"> | undefined

  /** An agent may reuse call ids in every turn; a thread needs distinct ones. */
  const wireId = (id: string) => `${prefix}${calls.get(id)?.turn ?? turn}.${id}`
  const messageIdOf = (id: string) => `${prefix}${id}`

  /** The subagent that speaks, and the event that starts it. */
  const ofSubagent = (
    parent: string | undefined
  ): readonly [ReadonlyArray<AguiEvent>, Readonly<Record<string, string>>] => {
    if (parent === undefined || dialect === "0.0") return [[], {}]
    const subagentRunId = wireId(parent)
    if (subagents.has(parent)) return [[], { subagentRunId }]
    subagents.add(parent)
    return [[{
      type: "SUBAGENT_STARTED",
      subagentRunId,
      name: calls.get(parent)?.tool ?? "agent",
      ...(calls.has(parent) && { parentToolCallId: subagentRunId })
    }], { subagentRunId }]
  }

  const set = (fields: Readonly<Record<string, unknown>>): ReadonlyArray<AguiEvent> => {
    const changes = Object.entries(fields).filter(([, value]) => value !== undefined)
    if (changes.length === 0) return []
    Object.assign(relay, Object.fromEntries(changes))
    return [{
      type: "STATE_DELTA",
      delta: changes.map(([name, value]) => ({ op: "add", path: `/relay/${name}`, value }))
    }]
  }

  const custom = (name: string, value: object): ReadonlyArray<AguiEvent> => [{
    type: "CUSTOM",
    name: `ai-relay.${name}`,
    value
  }]

  const activity = (messageId: string, activityType: string, content: object): AguiEvent => ({
    type: "ACTIVITY_SNAPSHOT",
    messageId,
    activityType,
    content
  })

  const user = (messageId: string, words: string): ReadonlyArray<AguiEvent> => [
    { type: "TEXT_MESSAGE_START", messageId, role: "user" },
    ...words === "" ? [] : [{ type: "TEXT_MESSAGE_CONTENT", messageId, delta: words }],
    { type: "TEXT_MESSAGE_END", messageId }
  ]

  /** The older version would show a subagent's text as the agent's own. */
  const isAside = (parent: string | undefined) => parent !== undefined && dialect === "0.0"

  const start = ({ id, kind, parent }: OpOf<"start">): ReadonlyArray<AguiEvent> => {
    if (isAside(parent)) return []
    const [begun, who] = ofSubagent(parent)
    const messageId = messageIdOf(id)
    return [
      ...begun,
      ...kind === "text"
        ? [{ type: "TEXT_MESSAGE_START", messageId, role: "assistant", ...who }]
        : [
          { type: "REASONING_START", messageId, ...who },
          { type: "REASONING_MESSAGE_START", messageId, role: "reasoning", ...who }
        ]
    ]
  }

  const typeOf = (kind: TextKind) => kind === "text" ? "TEXT_MESSAGE" : "REASONING_MESSAGE"

  /** The part of this text that the client lacks. */
  const lacking = (id: string, words: string): string => {
    const rest = ahead.get(id) ?? ""
    if (rest === "") return words
    ahead.set(id, rest.slice(words.length))
    return words.startsWith(rest) ? words.slice(rest.length) : rest.startsWith(words) ? "" : words
  }

  const delta = ({ id, kind, parent, text: words }: OpOf<"delta">): ReadonlyArray<AguiEvent> => {
    const messageId = messageIdOf(id)
    const news = lacking(messageId, words)
    return isAside(parent) || news === ""
      ? []
      : [{ type: `${typeOf(kind)}_CONTENT`, messageId, delta: news, ...ofSubagent(parent)[1] }]
  }

  const end = ({ id, kind, parent, text: words }: OpOf<"end">): ReadonlyArray<AguiEvent> => {
    const messageId = messageIdOf(id)
    if (isAside(parent)) {
      return [
        activity(`said-${messageId}`, "SUBAGENT", { toolCallId: wireId(parent ?? ""), kind, text: words })
      ]
    }
    const [, who] = ofSubagent(parent)
    return [
      { type: `${typeOf(kind)}_END`, messageId, ...who },
      ...kind === "text" ? [] : [{ type: "REASONING_END", messageId, ...who }]
    ]
  }

  const toolCall = ({ args, id, known, parent, tool }: OpOf<"tool_call">): ReadonlyArray<AguiEvent> => {
    // Its arguments cannot be sent twice: they would be appended to the first.
    if (known && calls.has(id)) return []
    calls.set(id, { turn, tool, isDone: false })
    const toolCallId = wireId(id)
    if (shown.calls.has(toolCallId)) return []
    const [begun, who] = ofSubagent(parent)
    return [
      ...begun,
      { type: "TOOL_CALL_START", toolCallId, toolCallName: tool, ...who },
      { type: "TOOL_CALL_ARGS", toolCallId, delta: JSON.stringify(args ?? {}), ...who },
      { type: "TOOL_CALL_END", toolCallId, ...who }
    ]
  }

  const result = (op: OpOf<"tool_result">): ReadonlyArray<AguiEvent> => {
    const call = calls.get(op.id)
    if (call?.isDone === true) return []
    if (call !== undefined && !op.unfinished) call.isDone = true
    outputs.delete(op.id)
    const toolCallId = wireId(op.id)
    // A result after its turn is another message.
    const messageId = op.unfinished ? `none-${toolCallId}` : `result-${toolCallId}`
    if (shown.texts.has(messageId)) return []
    const [begun, who] = ofSubagent(op.parent)
    const said = op.ok || op.text.toLowerCase().startsWith("error") ? op.text : `Error: ${op.text}`
    return [...begun, {
      type: "TOOL_CALL_RESULT",
      messageId,
      toolCallId,
      content: op.unfinished ? "The turn ended before the tool did." : said,
      role: "tool",
      ...who
    }]
  }

  /** Shows a running tool's state next to its call. */
  const running = (id: string, change: (isNew: boolean) => object): ReadonlyArray<AguiEvent> => {
    const isNew = !outputs.has(id)
    if (isNew) outputs.set(id, 0)
    const messageId = `out-${wireId(id)}`
    const patch = { type: "ACTIVITY_DELTA", messageId, activityType: "TOOL_OUTPUT", patch: [change(isNew)] }
    return isNew
      ? [activity(messageId, "TOOL_OUTPUT", { toolCallId: wireId(id), lines: [] }), patch]
      : [patch]
  }

  const output = ({ id, text: words }: OpOf<"output_delta">): ReadonlyArray<AguiEvent> => {
    const told = outputs.get(id) ?? 0
    if (told >= liveOutput) return []
    const value = words.slice(0, liveOutput - told)
    const events = running(id, () => ({ op: "add", path: "/lines/-", value }))
    outputs.set(id, told + value.length)
    return events
  }

  const usageOf = ({ usage }: OpOf<"turn_end">): Readonly<Record<string, unknown>> => {
    const { cached_input_tokens, input_tokens, output_tokens } = usage ?? {}
    if (dialect === "0.0" || input_tokens === undefined || output_tokens === undefined) return {}
    return {
      usage: [{
        ...(typeof relay["model"] === "string" && { model: relay["model"] }),
        inputTokens: input_tokens,
        outputTokens: output_tokens,
        totalTokens: input_tokens + output_tokens,
        ...(cached_input_tokens !== undefined && { cachedInputTokens: cached_input_tokens })
      }]
    }
  }

  const closeSubagents = (): ReadonlyArray<AguiEvent> => {
    const open = [...subagents]
    subagents = new Set()
    return open.map((parent) => ({
      type: "SUBAGENT_FINISHED",
      subagentRunId: wireId(parent),
      outcome: { type: calls.get(parent)?.isDone === false ? "suspended" : "success" }
    }))
  }

  const begin: Encoder["begin"] = ({ runId, seq, state, threadId }) => {
    subagents = new Set()
    ended = undefined
    return [
      { type: "RUN_STARTED", threadId, runId },
      {
        type: "STATE_SNAPSHOT",
        snapshot: { ...state, relay: { ...open(state["relay"]), ...relay, seq } }
      }
    ]
  }

  const finish: Encoder["finish"] = ({ runId, threadId }, how, seq) => {
    const before = [...closeSubagents(), ...set({ seq })]
    if (how.type === "failed") {
      return [...before, { type: "RUN_ERROR", message: how.message, code: how.code }]
    }
    const run = { type: "RUN_FINISHED", threadId, runId }
    if (how.type === "asked") {
      const interrupts = how.asks.map((op) => interruptOf(op, wireId(op.id)))
      return [...before, { ...run, outcome: { type: "interrupt", interrupts } }]
    }
    if (ended?.stop === "error" || ended?.error !== undefined) {
      const { code = "turn_failed", text: message = "The turn failed: try again, or rephrase the prompt." } =
        ended.error ?? {}
      return [...before, { type: "RUN_ERROR", message, code, ...usageOf(ended) }]
    }
    return [...before, {
      ...run,
      ...(ended !== undefined && {
        result: { stop_reason: ended.stop, ...(ended.usage !== undefined && { usage: ended.usage }) },
        ...usageOf(ended)
      }),
      ...(ended?.stop === "cancelled" && dialect === "1.0" && { outcome: { type: "cancelled" } })
    }]
  }

  const encode: Encoder["encode"] = (op) => {
    switch (op.type) {
      case "turn_start": {
        turn = op.turn
        diffs = 0
        notices = 0
        ended = undefined
        const [id = `${op.turn}.u`] = op.message_ids
        const isShown = [id, ...op.message_ids].some((id) => shown.texts.has(id))
        return op.text === undefined || isShown ? [] : user(id, op.text)
      }
      case "user": {
        const { id, message_id = id } = op
        return shown.texts.has(message_id) ? [] : user(message_id, op.text)
      }
      case "start":
        return start(op)
      case "delta":
        return delta(op)
      case "end":
        return end(op)
      case "tool_call":
        return toolCall(op)
      case "output_delta":
        return output(op)
      case "progress":
        return running(op.id, () => ({ op: "add", path: "/progress", value: op.text }))
      case "tool_result":
        return result(op)
      case "file_diff": {
        const { diff, id, path } = op
        return [
          activity(`diff-${prefix}${turn}.${++diffs}`, "FILE_DIFF", {
            path,
            diff,
            ...(id !== undefined && { toolCallId: wireId(id) })
          })
        ]
      }
      case "plan":
        return set({ plan: op.entries })
      case "context":
        return set({ context: { used: op.used, size: op.size, pct: op.pct } })
      case "commands":
        return set({ commands: op.commands })
      case "mode":
        return set({ mode: op.mode })
      case "model":
        return set({ model: op.model, models: op.models })
      case "session":
        return set({ tool: op.tool, folder: op.folder, modes: op.modes })
      case "notice": {
        if (op.level === "status") return []
        const { level, metadata, name, text: words } = op
        return custom("notice", { id: `${turn}.n${++notices}`, level, name, text: words, metadata })
      }
      case "compacted":
        return custom("notice", { level: "compacted", text: op.text, metadata: op.metadata })
      case "settled": {
        const { reason, request_id, status } = op
        return custom("settled", {
          request_id,
          toolCallId: wireId(op.id),
          status,
          ...(reason !== undefined && { reason })
        })
      }
      case "error":
        return custom("error", { code: op.code, text: op.text })
      case "turn_end":
        ended = op
        return []
      case "ask":
      case "input_delta":
      case "session_end":
        return []
    }
  }

  return { learn: (op) => void encode(op), begin, encode, finish }
}
