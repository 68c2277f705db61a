import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import type { PermissionAllowed, PermissionOutcome } from "../../../src/adapters/Adapter.js"
import { CanUseTool } from "../../../src/adapters/claude/ClaudeMessage.js"
import { toAnswer, toPermissionRequest } from "../../../src/adapters/claude/permission.js"
import { CallIds } from "../../../src/adapters/wire/CallIds.js"
import { PermissionRequest, RequestId } from "../../../src/schema/index.js"

const native = (fields: object = {}): CanUseTool =>
  Schema.decodeUnknownSync(CanUseTool)({
    subtype: "can_use_tool",
    tool_name: "Bash",
    input: { command: "make" },
    ...fields
  })

const suggestions = [
  {
    type: "addRules",
    rules: [{ toolName: "Bash", ruleContent: "make" }],
    behavior: "allow",
    destination: "localSettings"
  },
  { type: "setMode", mode: "acceptEdits", destination: "session" }
]
const bash = native({ permission_suggestions: suggestions })
const plan = native({
  tool_name: "ExitPlanMode",
  input: { plan: "1. Make it." },
  permission_suggestions: suggestions
})
const questions = [
  { id: "q1", question: "Which color?", header: "Color", options: [{ label: "red" }, { label: "blue" }] },
  { question: "Which sizes?", header: "Size", multiSelect: true, options: [{ label: "S" }, { label: "L" }] }
]
const question = native({ tool_name: "AskUserQuestion", input: { questions } })

const allow = (fields: Partial<PermissionAllowed> = {}): PermissionOutcome => ({
  type: "permission_response",
  behavior: "allow",
  ...fields
})
const deny = (fields: object = {}): PermissionOutcome => ({
  type: "permission_response",
  behavior: "deny",
  ...fields
})
const cancelled = (reason: "timeout" | "interrupted" | "withdrawn" | "session_end"): PermissionOutcome => ({
  behavior: "cancelled",
  reason
})

const inSession = suggestions.map((suggestion) => ({ ...suggestion, destination: "session" }))
const mode = (mode: string) => [{ type: "setMode", mode, destination: "session" }]

describe("a person's answer, in Claude's words", () => {
  // agent-protocols.md, G.4 and A.6.
  const cases: ReadonlyArray<
    readonly [name: string, ask: CanUseTool, outcome: PermissionOutcome, answer: object | undefined]
  > = [
    ["allow once", bash, allow(), { behavior: "allow", updatedInput: { command: "make" } }],
    ["allow with another input", bash, allow({ updatedInput: { command: "make -n" } }), {
      behavior: "allow",
      updatedInput: { command: "make -n" }
    }],
    ["allow for the session: the suggestions, there only", bash, allow({ scope: "session" }), {
      behavior: "allow",
      updatedInput: { command: "make" },
      updatedPermissions: inSession
    }],
    ["allow for the session, where nothing is suggested", native(), allow({ scope: "session" }), {
      behavior: "allow",
      updatedInput: { command: "make" }
    }],
    ["allow once, where much is suggested", bash, allow({ scope: "once" }), {
      behavior: "allow",
      updatedInput: { command: "make" }
    }],
    ["deny, go on", bash, deny(), { behavior: "deny", message: "The user denied this." }],
    ["deny, and say why", bash, deny({ message: "Not now." }), { behavior: "deny", message: "Not now." }],
    ["deny and stop", bash, deny({ stop: true }), {
      behavior: "deny",
      message: "The user denied this.",
      interrupt: true
    }],
    ["nobody answers", bash, cancelled("timeout"), {
      behavior: "deny",
      message: "Nobody answered the permission request in time, so it was denied."
    }],
    ["the turn is interrupted", bash, cancelled("interrupted"), {
      behavior: "deny",
      message: "The turn was interrupted.",
      interrupt: true
    }],
    ["Claude has withdrawn it", bash, cancelled("withdrawn"), undefined],
    ["the session ends", bash, cancelled("session_end"), undefined],
    ["leave plan mode", plan, allow({ option_id: "default" }), {
      behavior: "allow",
      updatedInput: { plan: "1. Make it." },
      updatedPermissions: mode("default")
    }],
    [
      "leave plan mode, and do not ask for edits",
      plan,
      allow({ option_id: "acceptEdits", scope: "session" }),
      {
        behavior: "allow",
        updatedInput: { plan: "1. Make it." },
        updatedPermissions: mode("acceptEdits")
      }
    ],
    ["leave plan mode with a plain yes", plan, allow(), {
      behavior: "allow",
      updatedInput: { plan: "1. Make it." },
      updatedPermissions: mode("default")
    }],
    ["leave plan mode with a yes for the session", plan, allow({ scope: "session" }), {
      behavior: "allow",
      updatedInput: { plan: "1. Make it." },
      updatedPermissions: mode("acceptEdits")
    }],
    ["keep planning", plan, deny({ message: "More tests." }), { behavior: "deny", message: "More tests." }],
    [
      "answers by id, by text, by neither, one and several",
      question,
      allow({ answers: { q1: "red", "Which sizes?": ["S", "L"], else: "free text" } }),
      {
        behavior: "allow",
        updatedInput: {
          questions,
          answers: { "Which color?": "red", "Which sizes?": "S, L", else: "free text" }
        }
      }
    ],
    ["no answers to a question", question, allow(), { behavior: "allow", updatedInput: { questions } }],
    [
      "answers in the input itself",
      question,
      allow({ updatedInput: { questions, answers: { "Which color?": "blue" } } }),
      { behavior: "allow", updatedInput: { questions, answers: { "Which color?": "blue" } } }
    ],
    ["answers where nothing was asked", bash, allow({ answers: { q1: "red" } }), {
      behavior: "allow",
      updatedInput: { command: "make" }
    }],
    [
      "answers to questions nobody can read",
      native({ tool_name: "AskUserQuestion", input: { questions: "?" } }),
      allow({ answers: { q1: "red" } }),
      {
        behavior: "allow",
        updatedInput: { questions: "?", answers: { q1: "red" } }
      }
    ]
  ]

  it.each(cases)("%s", (_, ask, outcome, answer) => {
    assert.deepStrictEqual(toAnswer(ask, outcome), answer)
  })
})

describe("Claude's question, on the wire", () => {
  const request = (ask: CanUseTool) => {
    const request = toPermissionRequest(RequestId.make("r-1"), ask, { ids: new CallIds() })
    assert.deepStrictEqual(Schema.decodeUnknownSync(PermissionRequest)(request), request)
    return request
  }
  const optionsOf = (ask: CanUseTool) =>
    request(ask).metadata.options?.map(({ kind, option_id }) => [option_id, kind])

  it("may a tool run?", () => {
    const { metadata: _, ...asked } = request(native({ tool_use_id: "toolu_1", title: "Run make" }))
    assert.deepStrictEqual({ ...asked }, {
      type: "permission_request",
      request_id: RequestId.make("r-1"),
      tool: "Bash",
      args: { command: "make" },
      tool_use_id: "toolu_1",
      text: "Run make"
    })
    assert.strictEqual(request(bash).metadata.kind, "tool")
    assert.deepStrictEqual(optionsOf(bash), [
      ["allow", "allow_once"],
      ["allow_session", "allow_always"],
      ["deny", "reject_once"]
    ])
  })

  it("is this plan good?", () => {
    assert.strictEqual(request(plan).text, "1. Make it.")
    assert.strictEqual(request(plan).metadata.kind, "plan")
    assert.deepStrictEqual(optionsOf(plan), [
      ["default", "allow_once"],
      ["acceptEdits", "allow_always"],
      ["deny", "reject_once"]
    ])
    assert.notProperty(request(native({ tool_name: "ExitPlanMode", input: {} })), "text")
  })

  it("what do you want?", () => {
    assert.deepStrictEqual(request(question).metadata, { kind: "question" })
    assert.deepStrictEqual(request(question).args, { questions })
  })

  it("tells who asks and what is in the way, where Claude does", () => {
    const { metadata } = request(native({ agent_id: "agent-1", blocked_path: "/etc" }))
    assert.deepInclude(metadata, { agent_id: "agent-1", blocked_path: "/etc" })
  })

  it("takes the best of several texts, and why it asks", () => {
    const texts = { title: "title", description: "description", decision_reason: "reason" }
    assert.strictEqual(request(native(texts)).text, "title\nreason")
    assert.strictEqual(request(native({ ...texts, title: null })).text, "description\nreason")
    assert.strictEqual(request(native({ decision_reason: "\u001b[31mreason\u001b[0m" })).text, "reason")
    assert.notProperty(request(native()), "text")
  })
})
