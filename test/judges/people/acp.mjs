/**
 * A person at an editor that speaks the Agent Client Protocol, by its own SDK: `sdk` is version 2 or, as `old`, 1.9. With
 * `command` the agent is a process of the editor's, else it is reached at `url`. See `person.mjs`.
 */
import { spawn } from "node:child_process"
import { Readable, Writable } from "node:stream"
import { goesOn, load, mayPrompt, say, show, told, until } from "./person.mjs"

const acp = await load(told.sdk)
const { command, cwd, forms = false, prompts = [], waits = false } = told

const processStream = () => {
  const [program, ...args] = command
  const child = spawn(program, args, { cwd, stdio: ["pipe", "pipe", "inherit"] })
  say({ pid: child.pid })
  process.once("exit", () => child.kill())
  return acp.ndJsonStream(Writable.toWeb(child.stdin), Readable.toWeb(child.stdout))
}
const socketStream = async () => {
  const { createWebSocketStream } = await load(`${told.sdk}/experimental/ws-client`)
  const { WebSocket } = await import("ws")
  return createWebSocketStream(told.url, { WebSocket })
}

// --- what is shown -------------------------------------------------------------------------------------------------

const items = []
const texts = new Map()
const tools = new Map()
let commands
let options

const textKinds = { user_message_chunk: "user", agent_thought_chunk: "thought", agent_message_chunk: "text" }
const toolOf = ({ content = [], name, rawInput, status, title }) => ({
  tool: name ?? title,
  status,
  input: rawInput,
  content: content.flatMap((part) => part.type === "content" ? [part.content.text] : []),
  diffs: content.flatMap((part) => part.type === "diff" ? [[part.path, part.oldText, part.newText]] : [])
})
const view = () =>
  items.map(({ id, kind, text }) => kind === "tool" ? toolOf(tools.get(id)) : { [kind]: text })

const onUpdate = ({ sessionUpdate, ...update }) => {
  const kind = textKinds[sessionUpdate]
  if (kind !== undefined) {
    const { content, messageId } = update
    const known = texts.get(messageId)
    if (known === undefined) {
      const item = { kind, text: content.text }
      texts.set(messageId, item)
      items.push(item)
    } else known.text += content.text
  } else if (sessionUpdate === "tool_call") {
    // The same name in another turn is another call.
    const id = Symbol(update.toolCallId)
    items.push({ kind: "tool", id })
    tools.set(id, update)
    tools.set(update.toolCallId, id)
  } else if (sessionUpdate === "tool_call_update") {
    const id = tools.get(update.toolCallId)
    tools.set(id, { ...tools.get(id), ...update })
  } else if (sessionUpdate === "available_commands_update") commands = update.availableCommands
  else if (sessionUpdate === "config_option_update") options = update.configOptions
  show(view())
}

// --- what is asked -------------------------------------------------------------------------------------------------

const withdrawn = []
/** Whether it was withdrawn before this person could go on. */
const givenUp = (signal) =>
  Promise.race([
    goesOn.then(() => false),
    new Promise((resolve) => signal?.addEventListener("abort", () => resolve(true)))
  ])
const onAsk = async ({ options, toolCall }, signal) => {
  signal?.addEventListener("abort", () => {
    withdrawn.push(toolCall.toolCallId)
    say({ withdrawn: toolCall.toolCallId })
  })
  say({ asked: [toolCall.toolCallId], options })
  if (waits && await givenUp(signal)) return { outcome: { outcome: "cancelled" } }
  const { optionId } = options.find(({ kind }) => kind === "allow_once") ?? options[0]
  return { outcome: { outcome: "selected", optionId } }
}
const onForm = async ({ requestedSchema, toolCallId }, signal) => {
  say({ asked: [toolCallId] })
  if (waits && await givenUp(signal)) return { action: "cancel" }
  const first = ({ oneOf }) => oneOf?.[0].const
  const content = Object.entries(requestedSchema.properties).flatMap(([name, field]) =>
    first(field) === undefined ? [] : [[name, first(field)]]
  )
  return { action: "accept", content: Object.fromEntries(content) }
}

const connect = async () => {
  const stream = command === undefined ? await socketStream() : processStream()
  if (acp.ClientSideConnection !== undefined) {
    const connection = new acp.ClientSideConnection(() => ({
      sessionUpdate: ({ update }) => onUpdate(update),
      requestPermission: (params) => onAsk(params),
      createElicitation: (params) => onForm(params)
    }), stream)
    const methods = {
      "initialize": "initialize",
      "session/new": "newSession",
      "session/load": "loadSession",
      "session/list": "listSessions",
      "session/prompt": "prompt"
    }
    return (method, params) => connection[methods[method]](params)
  }
  const { agent } = acp.client({ name: "person" })
    .onNotification("session/update", ({ params }) => onUpdate(params.update))
    .onRequest("session/request_permission", ({ params, signal }) => onAsk(params, signal))
    .onRequest("elicitation/create", ({ params, signal }) => onForm(params, signal))
    .connect(stream)
  return (method, params) => agent.request(method, params)
}

const request = await connect()
await request("initialize", {
  protocolVersion: 1,
  clientInfo: { name: "person", version: "1.0.0" },
  clientCapabilities: forms ? { elicitation: { form: {} } } : {}
})
const place = { cwd, mcpServers: [] }
let { session } = told
if (session === undefined) {
  const opened = await request("session/new", place)
  session = opened.sessionId
  options = opened.configOptions
  say({ session })
} else {
  const { _meta } = await request("session/load", { sessionId: session, ...place })
  // Version 1 has no word for a turn that runs: the list says when it is over.
  const isIdle = async () => {
    const { sessions } = await request("session/list", {})
    return sessions.find(({ sessionId }) => sessionId === session)?._meta["ai-relay"].state !== "running"
  }
  if (_meta["ai-relay"].turn_active) await until(isIdle)
  say({ came: true })
}

const failures = []
for (const text of prompts) {
  await mayPrompt(failures)
  // Whoever types sees it without being told.
  items.push({ kind: "user", text })
  const prompt = { sessionId: session, prompt: [{ type: "text", text }] }
  await request("session/prompt", prompt).catch(({ message }) => {
    failures.push(message)
    say({ failed: message })
  })
}
say({ done: true, view: view(), failures, withdrawn, commands, options })
// Its agent's process goes with it.
process.exit(0)
