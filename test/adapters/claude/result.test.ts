import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { Result } from "../../../src/adapters/claude/ClaudeMessage.js"
import { type Running, translateResult } from "../../../src/adapters/claude/result.js"
import { makeContextMeter } from "../../../src/adapters/wire/contextMeter.js"
import { EventBody } from "../../../src/schema/index.js"

const nothing: Running = { model: undefined, context_tokens: 0, cost_before: 0 }

/** The events of a native result; each must fit the wire. */
const eventsOf = (fields: object, running: Partial<Running> = {}, warn = makeContextMeter()) => {
  const result = Schema.decodeUnknownSync(Result)({ type: "result", subtype: "success", ...fields })
  const events = translateResult(result, { ...nothing, ...running }, warn)
  for (const event of events) Schema.decodeUnknownSync(EventBody)(event)
  return events
}

/** An event in a few words: its type and what a program decides by. */
const wordsOf = (event: EventBody): string =>
  event.type === "turn_end"
    ? `turn_end ${event.stop_reason}`
    : event.type === "error"
    ? `error ${event.code}`
    : event.type

const endOf = (fields: object, running?: Partial<Running>) => {
  const end = eventsOf(fields, running).at(-1)
  assert(end?.type === "turn_end")
  return end
}

const textsOf = (events: ReadonlyArray<EventBody>) =>
  events.flatMap((event) => "text" in event ? [event.text] : [])

/** Whether the turn failed at a limit that is over at some time. */
const limits: ReadonlyArray<readonly [result: object, limited: boolean]> = [
  [{ api_error_status: 429, result: "You've hit your session limit · resets 3pm" }, true],
  [{ result: "Claude AI usage limit reached|1760000000" }, true],
  [{ result: "5-hour limit reached ∙ resets 3pm" }, true],
  [{ api_error_status: 529, result: "Overloaded" }, false],
  [{ api_error_status: 400, result: "Credit balance is too low" }, false]
]

describe("a result of Claude", () => {
  const failed = { is_error: true, result: "API Error" }
  // What was seen of the CLI: agent-protocols.md, A.5.
  const cases: ReadonlyArray<readonly [cause: string, result: object, events: ReadonlyArray<string>]> = [
    ["all went well", { result: "Done." }, ["response", "turn_end end_turn"]],
    ["a slash command, which has no terminal_reason", { result: "", is_error: false }, [
      "response",
      "turn_end end_turn"
    ]],
    ["the model was cut off", { result: "Do", stop_reason: "max_tokens" }, [
      "response",
      "turn_end max_tokens"
    ]],
    ["too many requests (429)", { ...failed, api_error_status: 429 }, [
      "error turn_failed",
      "quota_warning",
      "turn_end error"
    ]],
    ["overloaded (529)", { ...failed, api_error_status: 529 }, [
      "error turn_failed",
      "quota_warning",
      "turn_end error"
    ]],
    ["a fault of the API (500)", { ...failed, api_error_status: 500 }, [
      "error turn_failed",
      "turn_end error"
    ]],
    ["the connection was cut", { ...failed, api_error_status: null }, [
      "error turn_failed",
      "turn_end error"
    ]],
    ["a wrong key (401)", {
      ...failed,
      api_error_status: 401,
      result: "Invalid API key · Fix external API key"
    }, [
      "error auth_required",
      "turn_end error"
    ]],
    ["nobody is logged in", { ...failed, result: "Not logged in · Please run /login" }, [
      "error auth_required",
      "turn_end error"
    ]],
    ["no credit", { ...failed, api_error_status: 400, result: "Credit balance is too low" }, [
      "error turn_failed",
      "quota_warning",
      "turn_end error"
    ]],
    ["the prompt is too long", { ...failed, api_error_status: 400, terminal_reason: "prompt_too_long" }, [
      "error turn_failed",
      "context_warning",
      "turn_end error"
    ]],
    ["an unknown model (404)", { ...failed, api_error_status: 404 }, ["error turn_failed", "turn_end error"]],
    ["an error in the middle of the stream", { ...failed, result: "API Error: Overloaded" }, [
      "error turn_failed",
      "turn_end error"
    ]],
    ["the model refuses", { ...failed, stop_reason: "refusal" }, ["turn_end refusal"]],
    ["the subscription's limit", {
      ...failed,
      api_error_status: 429,
      result: "You've hit your session limit · resets 3pm"
    }, ["error turn_failed", "quota_warning", "turn_end error"]],
    ["too many turns", { subtype: "error_max_turns", errors: [] }, ["turn_end max_turn_requests"]],
    ["the budget is used up", { subtype: "error_max_budget_usd", errors: ["Budget"] }, [
      "error turn_failed",
      "turn_end error"
    ]],
    ["an interrupt while streaming", {
      subtype: "error_during_execution",
      is_error: true,
      terminal_reason: "aborted_streaming",
      errors: ["[ede_diagnostic] x"]
    }, ["turn_end cancelled"]],
    ["an interrupt while a tool runs", {
      subtype: "error_during_execution",
      terminal_reason: "aborted_tools",
      errors: []
    }, ["turn_end cancelled"]],
    ["a prompt that came \"now\"", { terminal_reason: "aborted_streaming", is_error: false, result: "" }, [
      "turn_end cancelled"
    ]],
    ["a fault of the CLI", { subtype: "error_during_execution", errors: ["It broke."] }, [
      "error turn_failed",
      "turn_end error"
    ]]
  ]

  it.each(cases)("%s", (_, result, expected) => {
    assert.deepStrictEqual(eventsOf(result).map(wordsOf), expected)
  })

  it.each(limits)("%o is a limit that ends: %s", (result, limited) => {
    const warning = eventsOf({ ...failed, ...result }).find(({ type }) => type === "quota_warning")
    assert.strictEqual(warning?.metadata?.["limited"] === true, limited)
  })

  it("says why in the words of the CLI", () => {
    assert.deepStrictEqual(textsOf(eventsOf({ ...failed, api_error_status: 429, result: "Try later." })), [
      "Try later.",
      "Try later."
    ])
    const failure = { subtype: "error_during_execution", errors: ["[ede_diagnostic] x", "One.", "Two."] }
    assert.deepStrictEqual(textsOf(eventsOf(failure)), ["One.\nTwo."])
  })

  it("says what to do when nobody is logged in", () => {
    const [error] = textsOf(eventsOf({ ...failed, result: "Not logged in · Please run /login" }))
    assert.match(error ?? "", /^Not logged in.*run `claude`.*ANTHROPIC_API_KEY/)
  })

  it("never says nothing of an error", () => {
    const silent = [
      { subtype: "error_during_execution", errors: ["[ede_diagnostic] only for developers"] },
      { subtype: "error_during_execution", errors: [] },
      { subtype: "error_during_execution" },
      { is_error: true, result: "" }
    ]
    for (const result of silent) {
      assert.match(textsOf(eventsOf(result))[0] ?? "", /^Claude Code stopped with \w+/)
    }
  })
})

describe("what a turn of Claude cost", () => {
  it("is told as far as Claude tells it", () => {
    assert.deepStrictEqual(endOf({ result: "" }).usage, {})
    const usage = {
      input_tokens: 10,
      output_tokens: 20,
      cache_read_input_tokens: 30,
      cache_creation_input_tokens: 40
    }
    assert.deepStrictEqual(endOf({ result: "", usage, duration_ms: 1234, total_cost_usd: 0 }).usage, {
      input_tokens: 10,
      output_tokens: 20,
      cached_input_tokens: 30,
      cache_write_tokens: 40,
      cost_usd: 0,
      duration_ms: 1234
    })
  })

  it("is the cost of the turn, though Claude counts from the start of its process", () => {
    assert.strictEqual(endOf({ total_cost_usd: 0.75 }, { cost_before: 0.5 }).usage?.cost_usd, 0.25)
    // It counts anew after /clear.
    assert.strictEqual(endOf({ total_cost_usd: 0.1 }, { cost_before: 0.5 }).usage?.cost_usd, 0.1)
    assert.strictEqual(endOf({ total_cost_usd: 0 }, { cost_before: 0.5 }).usage?.cost_usd, 0)
    // Newer releases also say it of the first turn of a resumed conversation.
    const model_usage_since_last_result = { a: { costUSD: 0.03 }, b: { costUSD: 0.01 } }
    assert.strictEqual(
      endOf({ total_cost_usd: 0.75, model_usage_since_last_result }, { cost_before: undefined }).usage
        ?.cost_usd,
      0.04
    )
  })

  it("counts the context in the window of the session's model", () => {
    const modelUsage = {
      "claude-haiku": { contextWindow: 200_000 },
      "claude-opus[1m]": { contextWindow: 1_000_000 },
      "claude-old": {}
    }
    const window = (model: string | undefined) =>
      endOf({ modelUsage }, { model, context_tokens: 100_000 }).usage?.context_window
    assert.strictEqual(window("claude-haiku"), 200_000)
    assert.strictEqual(window("claude-opus[1m]"), 1_000_000)
    assert.strictEqual(window("claude-opus"), 1_000_000)
    assert.isUndefined(window("claude-old"))
    assert.strictEqual(window("unknown"), 1_000_000)
    assert.strictEqual(window(undefined), 1_000_000)
  })

  it("tells how full the context is, and warns when it is nearly", () => {
    const modelUsage = { m: { contextWindow: 1000 } }
    const warn = makeContextMeter()
    const turn = (context_tokens: number) => {
      const events = eventsOf({ modelUsage, result: "" }, { model: "m", context_tokens }, warn)
      return [...events.map(wordsOf), events.find((event) => event.type === "turn_end")?.context_pct]
    }
    assert.deepStrictEqual(turn(500), ["response", "turn_end end_turn", 50])
    assert.deepStrictEqual(turn(850), ["response", "context_warning", "turn_end end_turn", 85])
    assert.deepStrictEqual(turn(860), ["response", "turn_end end_turn", 86])
    assert.deepStrictEqual(turn(5000), ["response", "context_warning", "turn_end end_turn", 100])
  })

  it("does not guess how full the context is", () => {
    assert.notProperty(endOf({ modelUsage: { m: { contextWindow: 1000 } } }), "context_pct")
    assert.notProperty(endOf({}, { context_tokens: 10 }), "context_pct")
  })
})
