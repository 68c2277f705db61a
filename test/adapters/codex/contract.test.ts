import { Effect, Layer, Option } from "effect"
import { Credentials } from "../../../src/adapters/Adapter.js"
import { CodexAdapter } from "../../../src/adapters/codex/CodexAdapter.js"
import type { Native } from "../../support/transcriptSpawner.js"
import { describeContract } from "../contract.js"

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

describeContract({
  tool: "codex",
  adapter: Effect.provide(CodexAdapter, Layer.provide(CodexAdapter.layer, noKeys)),
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
})
