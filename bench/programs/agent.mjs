#!/usr/bin/env node
/**
 * agent: prints what Claude Code prints, native stream-json lines, at the size and rate a prompt asks for.
 *
 * `EMIT {"lines":1000,"bytes":400,"rate":500}` streams pieces of text, `bytes` long as native lines, `rate` of them per
 * second (0: as fast as they are taken), each stamped with the monotonic clock if there is a rate. `"kind":"tools"` prints
 * tool calls and their results instead. The turn ends with a `result` whose text is the end mark and its number. Anything else is
 * answered at once. Fast lines come from a block made once, so that the agent costs as little as it can.
 */
import { writeSync } from "node:fs"
import { createInterface } from "node:readline"

const session_id = "9a91ffdc-c81a-4d0b-9b39-fd3cb83f032b"
const prose =
  "The façade keeps “raw” once — see src/index.ts:\n\n  const état = \"prêt\"\n\tif (ok) return next(); // done… "
const blockBytes = 256 * 1024

const piece = (text) => ({
  type: "stream_event",
  event: { type: "content_block_delta", index: 0, delta: { type: "text_delta", text } },
  session_id,
  parent_tool_use_id: null
})
const call = (text, id) => ({
  type: "assistant",
  message: {
    id: `msg_${id}`,
    type: "message",
    role: "assistant",
    model: "claude-opus-4-8",
    content: [{
      type: "tool_use",
      id: `toolu_${id}`,
      name: "Write",
      input: { file_path: "/src/index.ts", content: text }
    }],
    stop_reason: null,
    usage: { input_tokens: 10, output_tokens: 1 }
  },
  parent_tool_use_id: null,
  session_id
})
const answer = (text, id) => ({
  type: "user",
  message: { role: "user", content: [{ type: "tool_result", tool_use_id: `toolu_${id}`, content: text }] },
  parent_tool_use_id: null,
  session_id
})

const inJson = (text) => Buffer.byteLength(JSON.stringify(text)) - 2

/** A line of exactly so many bytes, its newline left out; or the shortest there is. */
const lineOf = (bytes, make, start = "") => {
  let missing = bytes - Buffer.byteLength(JSON.stringify(make(start)))
  const whole = Math.max(0, Math.floor(missing / inJson(prose)))
  missing -= whole * inJson(prose)
  let text = start + prose.repeat(whole)
  for (const letter of prose) {
    if (inJson(letter) > missing) break
    missing -= inJson(letter)
    text += letter
  }
  return JSON.stringify(make(text + "x".repeat(Math.max(0, missing))))
}

const makers = { pieces: () => piece, tools: (n) => (text) => (n % 2 === 0 ? call : answer)(text, n >> 1) }

/** Write all of it; blocks while nobody reads. */
const print = (bytes) => {
  for (let done = 0; done < bytes.length;) {
    try {
      done += writeSync(1, bytes, done)
    } catch (error) {
      if (error.code !== "EAGAIN") throw error
    }
  }
}
const say = (message) => print(Buffer.from(JSON.stringify(message) + "\n"))

const flood = ({ bytes, kind = "pieces", lines }) => {
  const inBlock = Math.min(lines, Math.max(2, Math.floor(blockBytes / bytes)))
  const texts = Array.from({ length: inBlock }, (_, n) => Buffer.from(lineOf(bytes, makers[kind](n)) + "\n"))
  const block = Buffer.concat(texts)
  let left = lines
  for (; left >= inBlock; left -= inBlock) print(block)
  print(Buffer.concat(texts.slice(0, left)))
}

/** One line each time it is due; who was late catches up. */
const pace = ({ bytes, lines, rate }) =>
  new Promise((resolve) => {
    const body = lineOf(bytes, piece, "@0000000000000000@")
    const begun = performance.now()
    let said = 0
    const next = () => {
      while (said < lines && performance.now() >= begun + said * 1000 / rate) {
        print(
          Buffer.from(body.replace(/@\d+@/, `@${String(process.hrtime.bigint()).padStart(16, "0")}@`) + "\n")
        )
        said += 1
      }
      if (said === lines) return resolve()
      setTimeout(next, Math.max(0, begun + said * 1000 / rate - performance.now()))
    }
    next()
  })

/** As Claude does when a block is complete; without it a relay has to tell what was cut off. Its text is short: lines are measured. */
const whole = {
  type: "assistant",
  message: {
    id: "msg_whole",
    type: "message",
    role: "assistant",
    model: "claude-opus-4-8",
    content: [{ type: "text", text: prose }],
    stop_reason: null,
    usage: { input_tokens: 10, output_tokens: 1 }
  },
  parent_tool_use_id: null,
  session_id
}

let turns = 0
const run = async (prompt) => {
  turns += 1
  if (prompt.startsWith("EMIT ")) {
    const asked = JSON.parse(prompt.slice("EMIT ".length))
    if (asked.rate > 0) await pace(asked)
    else flood(asked)
    if (asked.kind !== "tools") say(whole)
  }
  say({
    type: "result",
    subtype: "success",
    is_error: false,
    result: `~THE-END-OF-IT-${String(turns).padStart(6, "0")}`,
    stop_reason: "end_turn",
    total_cost_usd: 0,
    session_id
  })
}

let work = Promise.resolve()
createInterface({ input: process.stdin }).on("line", (line) => {
  const message = JSON.parse(line)
  if (message.type === "user") work = work.then(() => run(String(message.message.content)))
  if (message.type === "control_request") {
    say({
      type: "control_response",
      response: { subtype: "success", request_id: message.request_id, response: {} }
    })
  }
}).on("close", () => process.exit(0))
