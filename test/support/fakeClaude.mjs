#!/usr/bin/env node
/**
 * fakeClaude: speaks like Claude Code on its pipes, as far as the relay listens, and as fast as the pipe takes it.
 *
 * Words in a prompt say what to do: `FAST 4000 3000` streams so many pieces of so many characters, `SLOW 50 20` so many
 * with so many milliseconds between them, `WRITE NAME TEXT` writes a file, `ASK` asks for a permission, `RECALL` repeats every prompt of the conversation,
 * also those of a process before it (`--resume=ID`). Anything else is answered at once.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { homedir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"

const after = (flag) => process.argv[process.argv.indexOf(flag) + 1]
const resumed = process.argv.find((arg) => arg.startsWith("--resume="))?.slice("--resume=".length)
const session_id = resumed ?? after("--session-id")
const folder = join(homedir(), ".fake-claude")
const file = join(folder, `${session_id}.json`)
const prompts = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : []

if (resumed !== undefined && prompts.length === 0) {
  process.stderr.write(`No conversation found with session ID: ${session_id}\n`)
  process.exit(1)
}

const remember = (prompt) => {
  prompts.push(prompt)
  mkdirSync(folder, { recursive: true })
  writeFileSync(file, JSON.stringify(prompts))
}

/** Print a message; waits while nobody reads. */
const say = (message) =>
  process.stdout.write(JSON.stringify({ ...message, session_id, uuid: "0" }) + "\n")
    ? undefined
    : new Promise((resolve) => process.stdout.once("drain", resolve))

const piece = (text) =>
  say({
    type: "stream_event",
    event: { type: "content_block_delta", index: 0, delta: { type: "text_delta", text } }
  })

const finish = async (text) => {
  const content = [{ type: "text", text }]
  await say({
    type: "assistant",
    message: { id: "m", model: "fake", role: "assistant", content },
    parent_tool_use_id: null
  })
  await say({
    type: "result",
    subtype: "success",
    is_error: false,
    result: text,
    stop_reason: "end_turn",
    total_cost_usd: 0
  })
}

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

const turn = { interrupted: false }
const answers = new Map()

const stream = async (count, size, ms) => {
  for (let n = 1; n <= count && !turn.interrupted; n++) {
    await piece(`${n} `.padEnd(size, "x"))
    if (ms > 0) await wait(ms)
  }
}

const textOf = (content) =>
  Array.isArray(content) ? content.map(({ text = "" }) => text).join("\n") : String(content)

const numbersAfter = (word, prompt) => (prompt.split(word)[1] ?? "").trim().split(" ").map(Number)

const run = async (prompt) => {
  turn.interrupted = false
  await say({ type: "system", subtype: "init", cwd: process.cwd(), model: "fake" })
  remember(prompt)
  if (prompt.includes("FAST")) await stream(...numbersAfter("FAST", prompt), 0)
  if (prompt.includes("SLOW")) {
    const [count, ms] = numbersAfter("SLOW", prompt)
    await stream(count, 0, ms)
  }
  const [, name, text] = /WRITE (\S+) (\S+)/.exec(prompt) ?? []
  if (name !== undefined) writeFileSync(name, `${text}\n`)
  if (prompt.includes("ASK")) {
    const request_id = `ask-${prompts.length}`
    const answered = new Promise((resolve) => answers.set(request_id, resolve))
    const request = {
      subtype: "can_use_tool",
      tool_name: "Bash",
      input: { command: "ls" },
      tool_use_id: "t1"
    }
    await say({ type: "control_request", request_id, request })
    await answered
  }
  if (!turn.interrupted) return finish(prompt.includes("RECALL") ? JSON.stringify(prompts) : "Done.")
  await say({
    type: "result",
    subtype: "error_during_execution",
    is_error: true,
    terminal_reason: "aborted_streaming"
  })
}

let work = Promise.resolve()
const onRequest = ({ request, request_id }) => {
  say({ type: "control_response", response: { subtype: "success", request_id, response: {} } })
  if (request.subtype === "interrupt") {
    turn.interrupted = true
    for (const answer of answers.values()) answer()
  }
}

createInterface({ input: process.stdin }).on("line", (line) => {
  const message = JSON.parse(line)
  if (message.type === "user") work = work.then(() => run(textOf(message.message.content)))
  if (message.type === "control_request") onRequest(message)
  if (message.type === "control_response") answers.get(message.response.request_id)?.()
}).on("close", () => work.then(() => process.exit(0)))
