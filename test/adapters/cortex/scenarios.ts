/**
 * scenarios: sessions with Cortex, to be held against the promises of the wire protocol. There is nothing to record
 * Snowflake with: the replies are in its documented shapes.
 */
import { Effect } from "effect"
import * as Server from "../../support/cortexServer.js"
import type { openSession } from "../../support/cortexSession.js"

type Opened = Effect.Success<ReturnType<typeof openSession>>

export interface Scenario {
  readonly handshake?: { readonly snowflake?: object; readonly [field: string]: unknown }
  readonly replies: ReadonlyArray<Server.Reply>
  /** What the server says, each once, as the log must keep it. */
  readonly native: ReadonlyArray<unknown>
  readonly play: (session: Opened, server: Server.CortexServer) => Effect.Effect<unknown>
}

const dataOf = (events: ReadonlyArray<Server.Sent>): ReadonlyArray<unknown> =>
  events.flatMap((sent) => typeof sent === "string" || typeof sent.data === "string" ? [] : [sent.data])

const send = (event: string, data: unknown): Server.Sent => ({ event, data })

// --- chat ----------------------------------------------------------------------------------------------------------

const chatEvents = [
  ": keep-alive\n\n",
  Server.thinks("The user greets. "),
  Server.thinks("So do I."),
  Server.says("Grüß "),
  Server.says("Gott 😀"),
  Server.says("!", "stop"),
  Server.used(12, 7),
  Server.done
]
const cutEvents = [Server.says("Once upon "), Server.says("a time")]
const errorEvents = [
  Server.says("So far, "),
  send("error", { message: "oops", code: "399504", request_id: "r-1" })
]
const callEvents = [
  Server.calls({
    index: 0,
    id: "call-1",
    type: "function",
    function: { name: "look", arguments: "{\"at\":" }
  }),
  Server.calls({ index: 0, function: { arguments: "\"sky\"}" } }),
  Server.done
]

// --- analyst -------------------------------------------------------------------------------------------------------

const piece = (index: number, type: string, more: object) =>
  send("message.content.delta", { index, type, ...more })
const sqlEvents = [
  send("status", { status: "interpreting_question", status_message: "Interpreting question" }),
  piece(0, "text", { text_delta: "This is our interpretation: " }),
  send("status", { status: "generating_sql", status_message: "Generating SQL" }),
  piece(0, "text", { text_delta: "revenue per month." }),
  piece(1, "sql", { statement_delta: "SELECT \"month\", SUM(rev)\n" }),
  piece(1, "sql", { statement_delta: "FROM t GROUP BY 1", confidence: { verified_query_used: null } }),
  send("warnings", { warnings: [{ message: "Table t has 30 columns" }, { message: "and no key" }] }),
  send("response_metadata", { model_names: ["claude-4"], question_category: "CLEAR_SQL" }),
  send("status", { status: "done", status_message: "Done" }),
  send("done", {})
]
const suggestionEvents = [
  piece(0, "text", { text_delta: "That is ambiguous." }),
  piece(1, "suggestions", { suggestions_delta: { index: 0, suggestion_delta: "revenue " } }),
  piece(1, "suggestions", { suggestions_delta: { index: 0, suggestion_delta: "per month?" } }),
  piece(1, "suggestions", { suggestions_delta: { index: 1, suggestion_delta: "revenue per year?" } }),
  // Older servers end with this.
  send("status", { status: "done", status_message: "Done." })
]

// --- agents --------------------------------------------------------------------------------------------------------

const use = { tool_use_id: "toolu_1", type: "cortex_analyst_text_to_sql", name: "revenue" }
const table = {
  tool_use_id: "toolu_1",
  query_id: "q-1",
  title: "Revenue",
  result_set: { data: [["1", "2"]] }
}
const chart = { tool_use_id: "toolu_1", chart_spec: "{\"mark\":\"bar\"}" }
const thinking = "Let me see. It is about revenue."
const final = {
  role: "assistant",
  content: [
    { type: "thinking", thinking: { text: thinking, signature: "s" } },
    { type: "tool_use", tool_use: { ...use, input: { query: "revenue" } } },
    {
      type: "tool_result",
      tool_result: { ...use, content: [{ type: "json", json: { answer: 42 } }], status: "success" }
    },
    { type: "table", table },
    { type: "chart", chart },
    { type: "text", text: "It was 42.", annotations: [] }
  ],
  metadata: {
    usage: {
      tokens_consumed: [{
        model_name: "claude-4",
        input_tokens: { total: 175, cache_read: 50, cache_write: 25, uncached: 100 },
        output_tokens: { total: 75 },
        context_window: 200_000
      }]
    },
    run_id: "run-1"
  },
  status: "completed"
}
const agentEvents = [
  send("metadata", { metadata: { role: "user", message_id: 1, run_id: "run-1" } }),
  send("response.status", { status: "planning", message: "Planning the next steps" }),
  send("response.thinking.delta", { content_index: 0, text: "Let me see. " }),
  send("response.thinking.delta", { content_index: 0, text: "It is about revenue." }),
  send("response.thinking", { content_index: 0, text: thinking, signature: "s" }),
  send("response.tool_use", {
    content_index: 1,
    ...use,
    input: { query: "revenue" },
    client_side_execute: false
  }),
  send("response.tool_result.status", {
    tool_use_id: "toolu_1",
    tool_type: use.type,
    status: "Executing SQL",
    message: "Executing query"
  }),
  send("response.tool_result.analyst.delta", {
    tool_use_id: "toolu_1",
    tool_name: "revenue",
    delta: { sql: "SELECT 42", query_id: "q-1" }
  }),
  send("response.tool_result", {
    content_index: 2,
    ...use,
    content: [{ type: "json", json: { answer: 42 } }],
    status: "success"
  }),
  send("response.table", { content_index: 3, ...table }),
  send("response.chart", { content_index: 4, ...chart }),
  send("response.text.delta", { content_index: 5, text: "It was " }),
  send("response.text.delta", { content_index: 5, text: "42." }),
  send("response.text.annotation", {
    content_index: 5,
    annotation_index: 0,
    annotation: { type: "cortex_search_citation" }
  }),
  send("response.text", { content_index: 5, text: "It was 42.", annotations: [] }),
  send("response.warning", { message: "Unable to fetch tools", code: "003001" }),
  send("response.suggested_queries", { queries: ["And last year?"] }),
  send("response", final),
  send("metadata", { metadata: { role: "assistant", message_id: 2 } })
]

const permitted = { tool_use_id: "toolu_2", type: "generic", name: "drop_table" }
const options = ["Allow Once", "Deny"]
const asking = [
  send("response.tool_use", {
    content_index: 0,
    ...permitted,
    input: { table: "t" },
    permission: { options }
  }),
  send("response", {
    role: "assistant",
    content: [{
      type: "tool_use",
      tool_use: { ...permitted, input: { table: "t" }, permission: { options } }
    }]
  })
]
const allowed = [
  send("response.tool_result", {
    ...permitted,
    content: [{ type: "text", text: "dropped" }],
    status: "success"
  }),
  send("response.text.delta", { content_index: 0, text: "It is gone." }),
  send("response", { role: "assistant", content: [{ type: "text", text: "It is gone." }] })
]
const ours = { tool_use_id: "toolu_3", type: "generic", name: "open_page" }
const delegating = [
  send("response.tool_use", { content_index: 0, ...ours, input: {}, client_side_execute: "true" }),
  send("response", { role: "assistant", content: [{ type: "tool_use", tool_use: { ...ours, input: {} } }] })
]
const resigned = [
  send("response.text.delta", { content_index: 0, text: "Then without." }),
  send("response", { role: "assistant", content: [{ type: "text", text: "Then without." }] })
]

/** One whole answer of each service. */
export const answers = { chat: chatEvents, analyst: sqlEvents, agent: agentEvents }

// --- all -----------------------------------------------------------------------------------------------------------

const analyst = { snowflake: { semantic_view: "DB.S.V" } }
const agent = { snowflake: { agent: "DB.S.REVENUE" } }

export const scenarios: Record<string, Scenario> = {
  "chat": {
    replies: [
      Server.stream(chatEvents, { piece: 7, eol: "\r\n" }),
      Server.stream([Server.says("Bye", "stop"), Server.done])
    ],
    native: [...dataOf(chatEvents), ...dataOf([Server.says("Bye", "stop")])],
    play: (session) => Effect.andThen(session.turn("hello"), session.turn("bye"))
  },
  "chat that calls a tool": {
    replies: [Server.stream(callEvents)],
    native: dataOf(callEvents),
    play: (session) => session.turn("look up")
  },
  "chat that is cut": {
    replies: [Server.stream(cutEvents, { then: "break" })],
    native: dataOf(cutEvents),
    play: (session) => session.turn("tell me a story")
  },
  "chat with an error in its stream": {
    replies: [Server.stream(errorEvents)],
    native: dataOf(errorEvents),
    play: (session) => session.turn("hello")
  },
  "chat over its limits": {
    replies: [
      Server.refuse(429, { message: "Too many requests", request_id: "r-1" }, { "retry-after": "0" }),
      Server.stream([Server.says("Now."), Server.done]),
      Server.refuse(402, { message: "The budget is exceeded", request_id: "r-2" }),
      Server.refuse(400, { message: "all requests were throttled by remote service", request_id: "r-3" }),
      Server.refuse(401, { message: "Programmatic access token is invalid", code: "394400" })
    ],
    native: [
      { message: "Too many requests", request_id: "r-1" },
      ...dataOf([Server.says("Now.")]),
      { message: "The budget is exceeded", request_id: "r-2" },
      { message: "all requests were throttled by remote service", request_id: "r-3" },
      { message: "Programmatic access token is invalid", code: "394400" }
    ],
    play: (session) => Effect.forEach(["one", "two", "three", "four"], session.turn)
  },
  "chat that is interrupted": {
    replies: [
      Server.stream(cutEvents, { then: "silence" }),
      Server.stream([Server.says("Fine."), Server.done])
    ],
    native: [...dataOf(cutEvents), ...dataOf([Server.says("Fine.")])],
    play: (session, server) =>
      Effect.gen(function*() {
        yield* session.send({ text: "tell me a story", message_id: "m-1" })
        yield* session.said("a time")
        yield* session.send({ type: "interrupt" })
        yield* session.next("turn_end")
        yield* Effect.promise(server.hungUp)
        yield* session.turn("enough")
      })
  },
  "chat whose session ends in a turn": {
    replies: [Server.stream(cutEvents, { then: "silence" })],
    native: dataOf(cutEvents),
    play: (session) => Effect.andThen(session.send({ text: "tell me a story" }), session.said("a time"))
  },
  "analyst": {
    handshake: analyst,
    replies: [Server.stream(sqlEvents, { piece: 11, lines: true }), Server.stream(suggestionEvents)],
    native: [...dataOf(sqlEvents), ...dataOf(suggestionEvents)],
    play: (session) => Effect.andThen(session.turn("revenue per month?"), session.turn("revenue?"))
  },
  "analyst that is cut in a statement": {
    handshake: analyst,
    replies: [Server.stream(sqlEvents.slice(0, 5))],
    native: dataOf(sqlEvents.slice(0, 5)),
    play: (session) => session.turn("revenue per month?")
  },
  "agent": {
    handshake: agent,
    replies: [Server.stream(agentEvents, { piece: 13, eol: "\r\n" })],
    native: dataOf(agentEvents),
    play: (session) => session.turn("what was the revenue?")
  },
  "agent that is cut": {
    handshake: agent,
    replies: [Server.stream(agentEvents.slice(0, 13)), Server.stream(resigned)],
    native: [...dataOf(agentEvents.slice(0, 13)), ...dataOf(resigned)],
    play: (session) => Effect.andThen(session.turn("what was the revenue?"), session.turn("go on"))
  },
  "agent that asks for permission": {
    handshake: agent,
    replies: [Server.stream(asking), Server.stream(allowed)],
    native: [...dataOf(asking), ...dataOf(allowed)],
    play: (session) =>
      Effect.gen(function*() {
        yield* session.send({ text: "drop it" })
        const { request_id } = yield* session.next("permission_request")
        yield* session.send({ type: "permission_response", request_id, behavior: "allow" })
        yield* session.next("turn_end")
      })
  },
  "agent that is interrupted while it asks": {
    handshake: agent,
    replies: [Server.stream(asking), Server.stream(resigned)],
    native: [...dataOf(asking), ...dataOf(resigned)],
    play: (session) =>
      Effect.gen(function*() {
        yield* session.send({ text: "drop it" })
        yield* session.next("permission_request")
        yield* session.send({ type: "interrupt" })
        yield* session.next("turn_end")
        yield* session.turn("better not")
      })
  },
  "agent that wants a tool run by its client": {
    handshake: agent,
    replies: [Server.stream(delegating), Server.stream(resigned)],
    native: [...dataOf(delegating), ...dataOf(resigned)],
    play: (session) => session.turn("show me")
  },
  "strange things": {
    replies: [
      Server.stream([
        "data: no JSON\n\n",
        "data: [1,2]\n\n",
        send("new.event", { of: "tomorrow" }),
        { data: { choices: "none" } },
        Server.says("All the same."),
        Server.done
      ])
    ],
    native: [{ of: "tomorrow" }, { choices: "none" }, ...dataOf([Server.says("All the same.")])],
    play: (session) => session.turn("hello")
  }
}
