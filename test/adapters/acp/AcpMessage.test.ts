/**
 * Our shapes against the protocol's own types: whatever the SDK can say, the Schemas take. Most of it is checked by the
 * compiler; what runs are messages written in the SDK's types.
 */
import type * as Sdk from "@agentclientprotocol/sdk"
import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import type { PromptResponse, SessionNotification } from "../../../src/adapters/acp/AcpMessage.js"
import { SessionUpdate } from "../../../src/adapters/acp/AcpMessage.js"
import type { Initialized, Opened } from "../../../src/adapters/acp/AcpSetup.js"
import { readPiece } from "../../../src/adapters/acp/AgentUpdates.js"
import type { AskPermission, Decision } from "../../../src/adapters/acp/permission.js"
import { Elicitation } from "../../../src/adapters/wire/elicitation.js"

/** Compiles if our Schema takes all that the SDK's type allows. */
type Takes<Encoded, Message extends Encoded> = Message
export type Checked = [
  Takes<
    typeof SessionUpdate.Encoded,
    Sdk.SessionUpdate
  >,
  Takes<typeof SessionNotification.Encoded, Sdk.SessionNotification>,
  Takes<typeof PromptResponse.Encoded, Sdk.PromptResponse>,
  Takes<typeof Initialized.Encoded, Sdk.InitializeResponse>,
  Takes<typeof Opened.Encoded, Sdk.NewSessionResponse>,
  Takes<typeof Opened.Encoded, Sdk.LoadSessionResponse>,
  Takes<typeof Opened.Encoded, Sdk.ResumeSessionResponse>,
  Takes<typeof AskPermission.Encoded, Sdk.RequestPermissionRequest>,
  Takes<typeof Elicitation.Encoded, Extract<Sdk.CreateElicitationRequest, { mode: "url" }>>,
  // What we say, the SDK takes.
  Takes<{ outcome: { outcome: string } }, Decision["answer"]>
]

const text: Sdk.ContentBlock = { type: "text", text: "hi" }

/** One update of every kind there is; the compiler misses none. */
const updates: { readonly [Kind in Sdk.SessionUpdate["sessionUpdate"]]: Sdk.SessionUpdate } = {
  user_message_chunk: { sessionUpdate: "user_message_chunk", content: text, messageId: null },
  agent_message_chunk: {
    sessionUpdate: "agent_message_chunk",
    content: text,
    messageId: "m",
    _meta: { a: 1 }
  },
  agent_thought_chunk: {
    sessionUpdate: "agent_thought_chunk",
    content: { type: "resource", resource: { uri: "file:///x", text: "x" } }
  },
  tool_call: {
    sessionUpdate: "tool_call",
    toolCallId: "t",
    title: "x",
    name: null,
    kind: "edit",
    status: "pending",
    content: [{ type: "content", content: text }, { type: "terminal", terminalId: "y" }],
    locations: [{ path: "/x", line: null }],
    rawInput: null
  },
  tool_call_update: {
    sessionUpdate: "tool_call_update",
    toolCallId: "t",
    title: null,
    kind: null,
    status: null,
    content: [{ type: "diff", path: "/x", oldText: null, newText: "" }],
    locations: null,
    rawOutput: [1]
  },
  plan: { sessionUpdate: "plan", entries: [{ content: "x", priority: "low", status: "pending" }] },
  available_commands_update: {
    sessionUpdate: "available_commands_update",
    availableCommands: [{ name: "x", description: "y", input: { hint: "z" } }, {
      name: "w",
      description: "",
      input: null
    }]
  },
  current_mode_update: { sessionUpdate: "current_mode_update", currentModeId: "x" },
  config_option_update: {
    sessionUpdate: "config_option_update",
    configOptions: [
      { type: "boolean", id: "b", name: "B", currentValue: true },
      {
        type: "select",
        id: "s",
        name: "S",
        category: null,
        currentValue: "v",
        options: [{ group: "g", name: "G", options: [{ value: "v", name: "V", description: null }] }]
      }
    ]
  },
  session_info_update: {
    sessionUpdate: "session_info_update",
    title: null,
    updatedAt: "2026-01-01T00:00:00Z"
  },
  usage_update: { sessionUpdate: "usage_update", used: 1, size: 2, cost: { amount: 0.1, currency: "USD" } },
  notice: { sessionUpdate: "notice", severity: "info", title: "x", description: null },
  compaction_update: {
    sessionUpdate: "compaction_update",
    compactionId: "c",
    status: "completed",
    summary: [text]
  },
  compaction_summary_chunk: { sessionUpdate: "compaction_summary_chunk", compactionId: "c", content: text }
}

describe("AcpMessage", () => {
  it("knows every update of the protocol", () => {
    const decode = Schema.decodeUnknownResult(SessionUpdate)
    const unknown = Object.values(updates)
      .filter((update) => Result.isFailure(decode(JSON.parse(JSON.stringify(update)))))
      .map(({ sessionUpdate }) => sessionUpdate)
    assert.deepStrictEqual(unknown, [])
  })

  it("reads forms with fields of every type", () => {
    const form: Sdk.CreateElicitationRequest = {
      mode: "form",
      sessionId: "s",
      toolCallId: null,
      message: "x",
      requestedSchema: {
        type: "object",
        title: null,
        required: ["a"],
        properties: {
          a: { type: "string", enum: ["x"], default: null, format: "email" },
          b: { type: "string", oneOf: [{ const: "x", title: "X", description: null }] },
          c: { type: "integer", minimum: 1 },
          d: { type: "boolean", default: true },
          e: { type: "array", items: { anyOf: [{ const: "x", title: "X" }] }, maxItems: null }
        }
      }
    }
    assert.isTrue(Schema.is(Schema.toEncoded(Elicitation))(form))
  })

  it("reads a piece of text by hand as its Schema would", () => {
    const pieces: ReadonlyArray<object> = [
      { sessionUpdate: "agent_message_chunk", content: { type: "text", text: "é — \u2028" } },
      { sessionUpdate: "agent_message_chunk", content: { type: "text", text: "" }, messageId: "m" },
      { sessionUpdate: "agent_thought_chunk", content: { type: "text", text: "x" }, messageId: null },
      { sessionUpdate: "user_message_chunk", content: { type: "text", text: "x" } }
    ]
    for (const update of pieces) {
      const decoded = Schema.decodeUnknownSync(SessionUpdate)(update)
      assert.deepStrictEqual(readPiece({ sessionId: "s", update }), decoded as ReturnType<typeof readPiece>)
    }
    const others: ReadonlyArray<unknown> = [
      updates.agent_thought_chunk,
      updates.agent_message_chunk,
      updates.plan,
      { sessionUpdate: "agent_message_chunk", content: { type: "text" } },
      { sessionUpdate: "agent_message_chunk", content: { type: "text", text: "x" }, messageId: 5 },
      {},
      null
    ]
    for (const update of others) assert.isUndefined(readPiece({ sessionId: "s", update }))
  })
})
