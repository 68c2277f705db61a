/**
 * Tests of the choice: which step a request gets, read from Claude's messages because they are the richest.
 */

import { assert, beforeEach, describe, it } from "vitest"
import { anthropic } from "./anthropic.js"
import { makeRulebook } from "./Rulebook.js"
import { chunksOf, defaultReply, fail, reply } from "./script.js"

const rulebook = makeRulebook()
beforeEach(() => rulebook.reset())

type Messages = ReadonlyArray<object>

const said = (text: string) => ({ role: "user", content: [{ type: "text", text }] })
const called = (id: string) => ({
  role: "assistant",
  content: [{ type: "tool_use", id, name: "Bash", input: {} }]
})
const result = (...ids: ReadonlyArray<string>) => ({
  role: "user",
  content: ids.map((tool_use_id) => ({ type: "tool_result", tool_use_id, content: "ok" }))
})
const answered = { role: "assistant", content: [{ type: "text", text: "done" }] }

const ask = (messages: Messages, rest: object = {}) =>
  rulebook.next(anthropic.read("/v1/messages", { model: "m", tools: [{ name: "Bash" }], messages, ...rest })!)

/** The reply's text, or the failure. */
const answerTo = (messages: Messages, rest?: object) => {
  const { step } = ask(messages, rest)
  return step.kind === "reply" ? chunksOf(step.reply).join("") : step.failure
}

describe("Rulebook", () => {
  it("answers a prompt without a rule with the default reply", () => {
    assert.strictEqual(answerTo([said("hi")]), defaultReply)
  })

  it("goes one step on with each round of tool results, however many calls a round had", () => {
    rulebook.on(/RUN/, [reply({ text: "one" }), reply({ text: "two" }), reply({ text: "three" })])
    assert.strictEqual(answerTo([said("RUN")]), "one")
    assert.strictEqual(answerTo([said("RUN"), called("a"), result("a", "b")]), "two")
    assert.strictEqual(answerTo([said("RUN"), called("a"), result("a"), called("b"), result("b")]), "three")
  })

  it("answers with the default reply when the script is at its end", () => {
    rulebook.on(/RUN/, reply({ tool: { kind: "shell", command: "ls" } }))
    assert.strictEqual(answerTo([said("RUN"), called("a"), result("a")]), defaultReply)
  })

  it("takes the last prompt of a resumed conversation and counts from there", () => {
    rulebook.on(/RUN/, [reply({ text: "one" }), reply({ text: "two" })])
    const before = [said("RUN"), called("a"), result("a"), answered]
    assert.strictEqual(answerTo([...before, said("RUN again")]), "one")
    assert.strictEqual(answerTo([...before, said("RUN again"), called("b"), result("b")]), "two")
    assert.strictEqual(answerTo([...before, said("something else")]), defaultReply)
  })

  it("does not take what a CLI writes around the prompt for the prompt", () => {
    rulebook.on(/RUN/, reply({ text: "ran" }))
    const reminder = { type: "text", text: "<system-reminder>\nhello\n</system-reminder>\n" }
    const content = [reminder, { type: "text", text: "RUN" }, reminder]
    const { prompt, round } = ask([{ role: "user", content }, { role: "system", content: "agents" }])
    assert.deepStrictEqual({ prompt, round }, { prompt: "RUN", round: 0 })
  })

  it("goes on with a script when a text without a rule comes into the tool loop", () => {
    rulebook.on(/RUN/, [reply({ text: "one" }), reply({ text: "two" })])
    assert.strictEqual(answerTo([said("RUN"), called("a"), result("a"), said("use less")]), "two")
  })

  it("forgets the script after an interrupt", () => {
    rulebook.on(/RUN/, [reply({ text: "one" }), reply({ text: "two" })])
    const interrupted = said("[Request interrupted by user for tool use]")
    assert.strictEqual(
      answerTo([said("RUN"), called("a"), result("a"), interrupted, said("hi")]),
      defaultReply
    )
  })

  it("lets a later rule go before an earlier one", () => {
    rulebook.on(/RUN/, reply({ text: "general" }))
    rulebook.on(/RUN fast/, reply({ text: "special" }))
    assert.strictEqual(answerTo([said("RUN fast")]), "special")
    assert.strictEqual(answerTo([said("RUN")]), "general")
  })

  it("fails again for every retry, or as often as it is told and then takes the next step", () => {
    rulebook.on(/DOWN/, fail(500))
    assert.deepStrictEqual([answerTo([said("DOWN")]), answerTo([said("DOWN")])], [500, 500])
    rulebook.on(/RUN/, [fail(429, { times: 1 }), reply({ text: "one" }), reply({ text: "two" })])
    assert.deepStrictEqual([answerTo([said("RUN")]), answerTo([said("RUN")])], [429, "one"])
    assert.strictEqual(answerTo([said("RUN"), called("a"), result("a")]), "two")
  })

  it("gives side calls what they asked for and hides them from the rules", () => {
    rulebook.on(/RUN/, fail(500))
    const schema = { type: "object", properties: { title: { type: "string" }, score: { type: "INTEGER" } } }
    const title = answerTo([said("RUN")], { tools: [], output_config: { format: { schema } } })
    assert.deepStrictEqual(JSON.parse(String(title)), { title: "scripted", score: 1 })
    assert.notProperty(ask([said("RUN")], { max_tokens: 1 }), "prompt")
  })
})
