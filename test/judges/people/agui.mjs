/**
 * A person at a page of AG-UI: `sdk` is `@ag-ui/client`, or an older one. Allows all that is asked and answers questions with
 * their first option. See `person.mjs`.
 */
import { firstOptions, goesOn, load, mayPrompt, say, show, told, until } from "./person.mjs"

const { come = false, prompts = [], session, tool, url, waits = false } = told

// A connection that breaks fails twice in this client: the run, which tells us, and a promise of its own.
process.on("unhandledRejection", () => {})

/** CopilotKit's core asks the relay for its agents, as it would its own runtime. */
const agentOfCopilotKit = async () => {
  globalThis.window ??= globalThis
  const { CopilotKitCore } = await load("@copilotkit/core")
  const core = new CopilotKitCore({ runtimeUrl: `${url}/agui` })
  await until(() => core.agents[tool] !== undefined)
  const agent = core.getAgent(tool)
  agent.threadId = session
  return { agent, run: () => core.runAgent({ agent }), connect: () => core.connectAgent({ agent }) }
}
const agentAlone = async () => {
  const { HttpAgent } = await load(told.sdk)
  const agent = new HttpAgent({ url: `${url}/agui/${tool}`, threadId: session })
  // A run without messages tells the whole thread.
  return { agent, run: () => agent.runAgent({}), connect: () => agent.runAgent({}) }
}
const { agent, connect, run } = await (told.copilot ? agentOfCopilotKit() : agentAlone())

const view = () => {
  const { messages } = agent
  const resultOf = (id) => messages.find(({ role, toolCallId }) => role === "tool" && toolCallId === id)
  const diffsOf = (id) =>
    messages.flatMap(({ activityType, content }) =>
      activityType === "FILE_DIFF" && content.toolCallId === id ? [[content.path, content.diff]] : []
    )
  return messages.flatMap(({ content, role, toolCalls = [] }) => {
    if (role === "user") return [{ user: content }]
    if (role === "reasoning") return [{ thought: content }]
    if (role !== "assistant") return []
    return [
      ...(content ? [{ text: content }] : []),
      ...toolCalls.map(({ function: { arguments: input, name }, id }) => ({
        tool: name,
        status: resultOf(id) === undefined ? "running" : "done",
        input: JSON.parse(input || "null"),
        content: [resultOf(id)?.content].filter((text) => text !== undefined),
        diffs: diffsOf(id)
      }))
    ]
  })
}

const failures = []
const fail = (message) => {
  failures.push(message)
  say({ failed: message })
}
agent.subscribe({
  onMessagesChanged: () => show(view()),
  onRunErrorEvent: ({ event }) => fail(event.message)
})

const answers = () =>
  agent.pendingInterrupts.map(({ id, metadata, reason }) => ({
    interruptId: id,
    status: "resolved",
    payload: reason === "input_required"
      ? { answers: firstOptions(metadata.args.questions) }
      : { approved: true }
  }))

/** Until nothing is asked any more. */
const follow = async (begin) => {
  const before = failures.length
  for (let resume; failures.length === before;) {
    await (resume === undefined ? begin() : agent.runAgent({ resume })).catch(({ message }) => {
      if (failures.length === before) fail(message)
    })
    const { pendingInterrupts } = agent
    if (pendingInterrupts.length === 0) break
    say({ asked: pendingInterrupts.map(({ id }) => id) })
    if (waits) await goesOn
    resume = answers()
  }
}

if (come) {
  await follow(connect)
  // That an older turn failed is no news.
  failures.splice(0)
  say({ came: true })
}
for (const [index, text] of prompts.entries()) {
  await mayPrompt(failures)
  agent.pendingInterrupts = []
  agent.addMessage({ id: `${told.name ?? "u"}-${index}`, role: "user", content: text })
  await follow(run)
}
say({ done: true, view: view(), failures })
process.exit(0)
