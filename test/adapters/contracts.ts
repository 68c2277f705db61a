/** contracts: the agents there are recordings of (`test/fixtures/<tool>/*.jsonl`), and who plays the client's side. */
import { Effect, Layer, Option } from "effect"
import * as AcpAdapter from "../../src/adapters/acp/AcpAdapter.js"
import { claudeAgent } from "../../src/adapters/acp/agents/claudeAgent.js"
import { Credentials } from "../../src/adapters/Adapter.js"
import { AgentAdapter } from "../../src/adapters/AgentDescriptor.js"
import * as ClaudeAdapter from "../../src/adapters/claude/ClaudeAdapter.js"
import * as CodexAdapter from "../../src/adapters/codex/CodexAdapter.js"
import { geminiAgent } from "../../src/adapters/gemini/geminiAgent.js"
import type { Native } from "../support/transcriptSpawner.js"
import { drive, isPrivate } from "./acp/drive.js"
import type { Contract } from "./contract.js"

export const claude: Contract = {
  tool: "claude",
  adapter: Effect.provide(AgentAdapter, ClaudeAdapter.layer()),
  drive: (input, seen) => {
    if (input.type === "user") {
      const { message, uuid } = input
      const names = uuid === undefined ? {} : { uuid, message_id: uuid }
      return { type: "user_message", content: message.content, when: "steer", ...names }
    }
    if (input.type === "control_request") {
      return input.request.subtype === "interrupt"
        ? { type: "interrupt" }
        : { type: "control_request", ...input }
    }
    const ask = seen.findLast((event) => event.type === "permission_request")
    return { type: "control_response", response: { ...input.response, request_id: ask?.request_id } }
  },
  isPrivate: (message) => message.type === "control_response" || message.type === "control_cancel_request"
}

const noKeys = Layer.succeed(Credentials, { names: () => [], get: () => Effect.succeed(Option.none()) })

/** What a client said that became this answer. */
const toAnswer = ({ action, answers, content, decision }: Native) =>
  decision !== undefined
    ? { decision }
    : answers !== undefined
    ? {
      answers: Object.fromEntries(Object.entries<Native>(answers).map(([id, { answers }]) => [id, answers]))
    }
    : content === null
    ? { decision: action }
    : {
      answers: Object.fromEntries(Object.entries<Native>(content).map(([id, value]) => [id, String(value)]))
    }

export const codex: Contract = {
  tool: "codex",
  adapter: Effect.provide(AgentAdapter, Layer.provide(CodexAdapter.layer(), noKeys)),
  drive: (input, seen) => {
    switch (input.method) {
      case "turn/start":
      case "turn/steer":
        return { type: "user_message", content: input.params.input[0].text, when: "steer" }
      case "turn/interrupt":
        return { type: "interrupt" }
      case "thread/compact/start":
        return { text: "/compact" }
      case undefined: {
        const { request_id } = seen.findLast((event) => event.type === "permission_request") ?? {}
        return { type: "permission_response", request_id, ...toAnswer(input.result) }
      }
      default:
        return undefined
    }
  },
  // The recorded clients did not ask for the login.
  unrecorded: ({ id, method }) =>
    method === "account/read" ? { id, result: { account: null, requiresOpenaiAuth: false } } : undefined,
  isPrivate: (message) => message.method === undefined
}

export const claudeAgentAcp: Contract = {
  tool: "claude-agent-acp",
  adapter: AcpAdapter.make("claude-agent-acp", claudeAgent),
  drive,
  isPrivate
}

export const gemini: Contract = {
  tool: "gemini",
  adapter: AcpAdapter.make("gemini", geminiAgent),
  drive,
  isPrivate
}
