#!/usr/bin/env node
/**
 * recorded: plays the turns of recordings.mjs as the agent that its first argument names, at their recorded pace.
 *
 * A prompt with `PLAY name` plays that turn. Ids are new in each turn; each line is stamped with the monotonic clock where it
 * has an id that means nothing, else in a field of its own. A permission waits for its answer; `{"answer":true}` is one
 * for clients that do not speak the agent's protocol. The last line of a turn carries the end mark and its number.
 */
import { createInterface } from "node:readline"
import { setTimeout as wait } from "node:timers/promises"
import { readTurn, recordings } from "./recordings.mjs"

const agent = process.argv[2]
const turns = new Map(recordings[agent].map((name) => [name, readTurn(agent, name)]))
const { answers, session } = turns.get(recordings[agent][0])

const say = (message) => process.stdout.write(`${JSON.stringify(message)}\n`)

let played = 0
let answered = () => {}

/** Ids of a turn that is played once more are others; the session's stays. */
const renamed = (text, from) =>
  text.replaceAll(from, session).replace(
    /\b(?:(?:toolu_|msg_|call_|m_)[a-z0-9]{6,}|[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})\b/g,
    (id) => id === session ? id : id.slice(0, -4) + String(played).padStart(4, "0")
  )

const stamped = (line) => {
  const stamp = `@${String(process.hrtime.bigint()).padStart(16, "0")}@`
  return { ...line, ...("uuid" in line ? { uuid: stamp } : { _at: stamp }) }
}

const play = async (name, request) => {
  const turn = turns.get(name)
  played += 1
  for (const [at, { asks, line, waits }] of turn.steps.entries()) {
    if (waits > 0) await wait(waits)
    const isEnd = at === turn.steps.length - 1
    const mine = JSON.parse(renamed(JSON.stringify(line), turn.session))
    // What answers the prompt has the prompt's own number.
    if (mine.result !== undefined && mine.id === turn.prompt.id && request !== undefined) mine.id = request
    if (isEnd) mine._end = `~THE-END-OF-IT-${String(played).padStart(6, "0")}`
    const came = asks ? new Promise((resolve) => answered = resolve) : undefined
    say(stamped(mine))
    await came
  }
}

let work = Promise.resolve()
createInterface({ input: process.stdin }).on("line", (line) => {
  const message = JSON.parse(line)
  const asked = /PLAY ([a-z-]+)/.exec(line)?.[1]
  if (asked !== undefined) {
    work = work.then(() => play(asked, message.id))
  } else if (message.type === "control_request") {
    say({
      type: "control_response",
      response: { subtype: "success", request_id: message.request_id, response: {} }
    })
  } else if (message.method !== undefined) {
    if (message.id !== undefined) {
      say({ jsonrpc: "2.0", id: message.id, result: answers[message.method] ?? {} })
    }
  } else answered()
}).on("close", () => process.exit(0))
