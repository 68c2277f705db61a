/**
 * thread: a client of AG-UI as strict as the strictest: it throws at an event out of order, at one the older version does
 * not know, and at words for a message that was not begun; and says what its thread shows.
 */
import type { AguiEvent, Dialect } from "../../../src/fronts/agui/encode.js"

type Fields = Record<string, any> // oxlint-disable-line typescript/no-explicit-any

const known = new Set([
  "RUN_STARTED",
  "RUN_FINISHED",
  "RUN_ERROR",
  "TEXT_MESSAGE_START",
  "TEXT_MESSAGE_CONTENT",
  "TEXT_MESSAGE_END",
  "REASONING_START",
  "REASONING_MESSAGE_START",
  "REASONING_MESSAGE_CONTENT",
  "REASONING_MESSAGE_END",
  "REASONING_END",
  "TOOL_CALL_START",
  "TOOL_CALL_ARGS",
  "TOOL_CALL_END",
  "TOOL_CALL_RESULT",
  "STATE_SNAPSHOT",
  "STATE_DELTA",
  "MESSAGES_SNAPSHOT",
  "ACTIVITY_SNAPSHOT",
  "ACTIVITY_DELTA",
  "CUSTOM"
])

export const make = (dialect: Dialect) => {
  const messages = new Map<string, Fields>()
  const open = new Set<string>()
  let state: Fields = {}
  let isRunning = false
  let hasBegun = false
  let outcome: Fields | undefined

  const check = (holds: boolean, event: AguiEvent) => {
    if (!holds) throw new Error(`out of order: ${JSON.stringify(event)}`)
  }

  const show = (event: AguiEvent): void => {
    const { delta, messageId, subagentRunId, toolCallId, type, ...rest } = event as Fields
    check(known.has(type) || (dialect === "1.0" && type.startsWith("SUBAGENT_")), event)
    check(!JSON.stringify(event).includes(":null"), event)
    check(type === "RUN_STARTED" ? !isRunning : isRunning, event)
    const message = messages.get(messageId)
    const begin = (key: string) => {
      check(!open.has(key), event)
      open.add(key)
    }
    const end = (key: string) => check(open.delete(key), event)
    switch (type) {
      case "RUN_STARTED":
        isRunning = hasBegun = true
        outcome = undefined
        return
      case "RUN_FINISHED":
        check(open.size === 0, event)
        isRunning = false
        outcome = rest
        return
      case "RUN_ERROR":
        isRunning = false
        open.clear()
        outcome = { error: rest["message"] }
        return
      case "TEXT_MESSAGE_START":
      case "REASONING_MESSAGE_START":
        begin(messageId)
        if (message === undefined) {
          messages.set(messageId, { role: rest["role"], text: "", by: subagentRunId })
        }
        check(message === undefined || message["by"] === subagentRunId, event)
        return
      case "TEXT_MESSAGE_CONTENT":
      case "REASONING_MESSAGE_CONTENT":
        check(open.has(messageId) && delta !== "", event)
        if (message !== undefined) message["text"] += delta
        return
      case "TEXT_MESSAGE_END":
      case "REASONING_MESSAGE_END":
        return end(messageId)
      case "REASONING_START":
        return begin(`span ${messageId}`)
      case "REASONING_END":
        return end(`span ${messageId}`)
      case "TOOL_CALL_START":
        begin(`call ${toolCallId}`)
        check(!messages.has(toolCallId), event)
        return void messages.set(toolCallId, { tool: rest["toolCallName"], args: "", by: subagentRunId })
      case "TOOL_CALL_ARGS": {
        check(open.has(`call ${toolCallId}`), event)
        const call = messages.get(toolCallId)
        if (call !== undefined) call["args"] += delta
        return
      }
      case "TOOL_CALL_END":
        JSON.parse(messages.get(toolCallId)?.["args"])
        return end(`call ${toolCallId}`)
      case "TOOL_CALL_RESULT":
        check(messages.has(toolCallId) && message === undefined, event)
        return void messages.set(messageId, { result: rest["content"], of: toolCallId })
      case "ACTIVITY_SNAPSHOT":
        return void messages.set(messageId, { activity: rest["activityType"], content: rest["content"] })
      case "ACTIVITY_DELTA":
        return check(message?.["activity"] === rest["activityType"], event)
      case "STATE_SNAPSHOT":
        state = structuredClone(rest["snapshot"])
        return
      case "STATE_DELTA":
        for (const { path, value } of delta) {
          const [, name, field] = String(path).split("/")
          check(name === "relay" && field !== undefined && "relay" in state, event)
          state["relay"][field ?? ""] = value
        }
        return
      case "MESSAGES_SNAPSHOT":
        return messages.clear()
      case "SUBAGENT_STARTED":
        return begin(`agent ${subagentRunId}`)
      case "SUBAGENT_FINISHED":
        return end(`agent ${subagentRunId}`)
    }
  }

  return {
    show: (events: ReadonlyArray<AguiEvent>) => {
      for (const event of events) show(event)
    },
    isRunning: () => isRunning,
    hasBegun: () => hasBegun,
    outcome: () => outcome,
    state: () => state,
    messages,
    /** The person says this; the client shows it itself. */
    prompt: (id: string, text: string) => void messages.set(id, { role: "user", text, by: undefined }),
    /** The connection breaks: what is shown stays. */
    breakOff: () => {
      isRunning = false
      open.clear()
    },
    /** As the client sends them back. */
    sent: (): ReadonlyArray<Fields> =>
      [...messages].map(([id, { activity, args, content, of, result, role, text, tool }]) =>
        activity !== undefined
          ? { id, role: "activity", activityType: activity, content }
          : tool !== undefined
          ? {
            id,
            role: "assistant",
            toolCalls: [{ id, type: "function", function: { name: tool, arguments: args } }]
          }
          : result !== undefined
          ? { id, role: "tool", toolCallId: of, content: result }
          : { id, role, content: text }
      ),
    /** What stays; what only a running tool shows does not. */
    seen: (isMeant: (id: string) => boolean = () => true) =>
      JSON.stringify(
        [...messages].filter(([id, { activity }]) => activity !== "TOOL_OUTPUT" && isMeant(id)).toSorted((
          [one],
          [other]
        ) => one < other ? -1 : 1),
        null,
        1
      )
  }
}
