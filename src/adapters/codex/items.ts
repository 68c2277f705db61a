/**
 * items: converts Codex's messages, thoughts and actions to events.
 */
import { Match, Option, Schema } from "effect"
import type { BodyOf, EventBody } from "../../schema/index.js"
import { firstText, textOfBlocks, wordsIn } from "../wire/words.js"
import { SpokenItem } from "./CodexItem.js"
import type { AnyItem } from "./CodexMessage.js"
import { makePieces } from "./pieces.js"
import { makeSubagents } from "./subagents.js"
import { makeTools } from "./tools.js"
import type { Meter } from "./usage.js"
import { toBlock } from "./userInput.js"

/** A turn's answer: its last message that is not commentary; for a planning turn, the plan. */
const makeAnswer = () => {
  /** Finished parts of the answer, which more may follow, and the message that ends it, in order. */
  let said: Array<{ readonly text: string; readonly phase: string | undefined }> = []
  let plan = ""
  return {
    say: (text: string, phase: string | undefined): void => {
      const isComment = phase === "commentary"
      if (isComment && said.some((one) => one.phase !== "commentary")) return
      if (phase !== "partial_answer") {
        said = isComment
          ? []
          : said.filter((one) => one.phase === "partial_answer")
      }
      said.push({ text, phase })
    },
    plan: (text: string): void => {
      plan = text
    },
    /** Returns the answer and clears it. */
    take: (): string => {
      const parts = said.filter(({ phase }) => phase === "partial_answer").map(({ text }) => text)
      const whole = said.find(({ phase }) => phase !== "partial_answer")?.text
      // A last message may repeat the parts.
      const isAll = whole !== undefined && parts.length > 0 && whole.startsWith(parts.join(""))
      const text = isAll ? whole : said.length > 0 ? said.map(({ text }) => text).join("") : plan
      said = []
      plan = ""
      return text
    }
  }
}

export const makeItems = () => ({
  tools: makeTools(),
  pieces: makePieces(),
  agents: makeSubagents(),
  answer: makeAnswer(),
  /** Messages of this turn, by id; a repeated one is not news. */
  told: new Map<string, string>(),
  compaction: { isManual: false, pre_tokens: undefined as number | undefined } // It is set later.
})

type Items = ReturnType<typeof makeItems> & { readonly meter: Meter; readonly thread: string | undefined }
type Events = ReadonlyArray<EventBody>

const readSpoken = Schema.decodeUnknownOption(SpokenItem)

const nothingNew: BodyOf<"stream_event"> = { type: "stream_event" }
const status = (item: AnyItem, method: string): Events => [
  {
    type: "status",
    status: method,
    text: [item.type, wordsIn(item)].filter((part) => part !== undefined).join(": ")
  }
]

const isOwn = (thread: string | undefined, state: Items) => thread === undefined || thread === state.thread

export const startedItem = (item: AnyItem, thread: string | undefined, state: Items): Events => {
  const tool = state.tools.read(item)
  if (tool !== undefined) return state.tools.started(tool, thread)
  const spoken = Option.getOrUndefined(readSpoken(item))
  switch (spoken?.type) {
    case undefined:
      return status(item, "item/started")
    case "subAgentActivity":
      return state.agents.started(spoken)
    case "contextCompaction":
      state.compaction.pre_tokens = state.meter.context_tokens()
      return [{ type: "status", status: "compacting" }]
    default:
      return [nothingNew]
  }
}

type AgentMessage = Extract<SpokenItem, { type: "agentMessage" }>

/** Its text with the questions it asks. */
const textOfMessage = ({ questions = [], text }: AgentMessage): string => {
  const asked = questions.map(({ options, title }) =>
    [title, ...options.map((option) => `- ${option}`)].join("\n")
  )
  return [text, ...asked].filter((part) => part !== "").join("\n\n")
}

const message = (item: AgentMessage, thread: string | undefined, state: Items): Events => {
  const { id, phase } = item
  const text = textOfMessage(item)
  const key = `${thread ?? ""} ${id}`
  if (text === "" || (id !== "" && state.told.get(key) === text)) return [nothingNew]
  state.told.set(key, text)
  if (isOwn(thread, state)) state.answer.say(text, phase)
  else state.agents.said(thread ?? "", text)
  return [{
    type: "assistant_message",
    content: [{ type: "text", text }],
    text,
    ...(phase !== undefined && { metadata: { phase } })
  }]
}

const reasoning = ({ content, summary }: Extract<SpokenItem, { type: "reasoning" }>): Events => {
  const text = [...summary, ...content].join("\n\n")
  // Most models withhold their thoughts.
  return [text === "" ? nothingNew : { type: "reasoning", text }]
}

const userMessage = ({ clientId, content }: Extract<SpokenItem, { type: "userMessage" }>): Events => {
  const blocks = content.map(toBlock)
  const text = textOfBlocks(blocks)
  return [{
    type: "user_message",
    content: blocks,
    ...(text !== "" && { text }),
    ...(clientId !== undefined && { metadata: { uuid: clientId, replay: true } })
  }]
}

const compacted = ({ compaction }: Items): Events => {
  const { isManual, pre_tokens } = compaction
  compaction.isManual = false
  const metadata = { trigger: isManual ? "manual" : "auto", ...(pre_tokens !== undefined && { pre_tokens }) }
  return [{ type: "context_compacted", metadata }]
}

const spokenEvents = (spoken: SpokenItem, thread: string | undefined, state: Items): Events =>
  Match.value(spoken).pipe(
    Match.withReturnType<Events>(),
    Match.discriminatorsExhaustive("type")({
      userMessage,
      agentMessage: (item) => message(item, thread, state),
      reasoning,
      plan: ({ text }) => {
        if (isOwn(thread, state)) state.answer.plan(text)
        return [firstText(text) === undefined ? nothingNew : { type: "reasoning", text }]
      },
      contextCompaction: () => compacted(state),
      subAgentActivity: state.agents.completed,
      enteredReviewMode: ({ review, type }) => [{ type: "status", status: type, text: review }],
      exitedReviewMode: ({ review, type }) => {
        // Unless a message follows, it is what the turn was for.
        if (isOwn(thread, state)) state.answer.plan(review)
        return [{ type: "status", status: type, text: review }]
      },
      hookPrompt: ({ fragments }) => {
        if (fragments.length === 0) return [nothingNew]
        const content = fragments.map((text) => ({ type: "text", text }))
        return [{ type: "user_message", content, text: fragments.join("\n"), metadata: { synthetic: true } }]
      }
    })
  )

/** The reason a tool failed, if the tool itself gave none. */
const withReason = (event: EventBody, item: AnyItem): EventBody => {
  if (event.type !== "tool_result" || event.status !== "error" || firstText(event.text) !== undefined) {
    return event
  }
  const text = wordsIn(
    ["error", "failure", "message", "reason", "result", "output"].map((name) => item[name])
  )
  return text === undefined ? event : { ...event, text }
}

export const completedItem = (item: AnyItem, thread: string | undefined, state: Items): Events => {
  const tool = state.tools.read(item)
  if (tool !== undefined) {
    if (tool.type === "collabAgentToolCall") {
      const call = state.tools.nameOf(tool.id, thread)
      for (const agent of tool.receiverThreadIds) state.agents.know(agent, call)
    }
    return state.tools.completed(tool, thread).map((event) => withReason(event, item))
  }
  const spoken = Option.getOrUndefined(readSpoken(item))
  return spoken === undefined ? status(item, "item/completed") : spokenEvents(spoken, thread, state)
}
