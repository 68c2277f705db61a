/**
 * aguiRoutes: the paths for AG-UI clients (`fronts/agui`), and those that CopilotKit's pages use in place of its runtime
 * (`runtimeUrl="https://relay/agui"`), both separately and through a single path.
 */
import { Effect, Stream } from "effect"
import * as input from "../fronts/agui/input.js"
import * as runs from "../fronts/agui/runs.js"
import * as inProcess from "../fronts/inProcess.js"
import { open, text } from "../fronts/read.js"
import type { PortError, SessionPort } from "../fronts/SessionPort.js"
import { type Answer, type Call, readJson, Refused, sendJson, type Served, wrong } from "./Call.js"
import { ofSdks, sendEventStream, toEvents } from "./eventStream.js"
import { statusOf } from "./statusOf.js"

const version = "1.0.0"

const inputOf = (body: unknown) => {
  const found = input.parse(body)
  return typeof found === "string"
    ? wrong(found)
    : Effect.succeed(found)
}

const send = (call: Call, events: runs.Events) =>
  sendEventStream(
    call,
    Stream.map(events, toEvents),
    {
      headers: ofSdks,
      lastWords: ({ code, text: message }) => toEvents([{ type: "RUN_ERROR", message, code }])
    }
  )

const run = Effect.fnUntraced(function*(call: Call, tool: string | undefined, body: unknown) {
  yield* send(call, yield* runs.run(yield* inputOf(body), tool, input.memoryOf(body)))
}, Effect.scoped)

const connect = Effect.fnUntraced(function*(call: Call, body: unknown) {
  yield* send(call, yield* runs.connect(yield* inputOf(body)))
}, Effect.scoped)

const stop = Effect.fnUntraced(function*({ response }: Call, threadId: string) {
  const stopped = yield* runs.stop({ session_id: input.sessionOf(threadId) })
  yield* sendJson(response, 200, { stopped })
})

const info = ({ response }: Call) =>
  Effect.flatMap(runs.info(version), (found) => sendJson(response, 200, found))

const answer = <Path extends string>(
  serve: (call: Call<Path>) => Effect.Effect<void, PortError | Refused, Served | SessionPort>
): Answer<Path> =>
(call) =>
  serve(call).pipe(
    Effect.catchTag("PortError", ({ code, message }) =>
      new Refused({ status: statusOf(code), code, reason: message })),
    Effect.provide(inProcess.layer)
  )

export const runTool = answer<"/agui/{tool}">((call) =>
  Effect.flatMap(readJson(call), (body) => run(call, call.params.tool, body))
)
export const runAgent = answer<"/agui/agent/{agent}/run">((call) =>
  Effect.flatMap(readJson(call), (body) => run(call, call.params.agent, body))
)
export const connectAgent = answer<"/agui/agent/{agent}/connect">((call) =>
  Effect.flatMap(readJson(call), (body) => connect(call, body))
)
export const stopAgent = answer<"/agui/agent/{agent}/stop/{thread}">((call) => stop(call, call.params.thread))
export const describe = answer<"/agui/info">(info)

/** `{"method":"agent/run","params":{"agentId":"codex"},"body":{…}}`. */
export const single = answer<"/agui">((call) =>
  Effect.gen(function*() {
    const { body, method, params } = open(yield* readJson(call))
    const agent = text(open(params)["agentId"])
    switch (method) {
      case "info":
        return yield* info(call)
      case "agent/run":
        return yield* run(call, agent, body)
      case "agent/connect":
        return yield* connect(call, body)
      case "agent/stop":
        return yield* stop(call, text(open(params)["threadId"]) ?? "")
      default:
        return yield* new Refused({
          status: 404,
          code: "bad_command",
          reason: `there is no method "${String(method)}": use info, agent/run, agent/connect or agent/stop`
        })
    }
  })
)
