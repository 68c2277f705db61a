/** openApi: the relay's plain HTTP as OpenAPI 3.1. */
import { definitionsAt, type Json, version } from "./jsonSchema.js"

const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` })
const json = (description: string, schema: Json) => ({
  description,
  content: { "application/json": { schema } }
})
const text = (name: string) => ({
  type: "object",
  properties: { [name]: { type: "string" } },
  required: [name]
})
const refusal = (description: string) => json(description, text("text"))

const refusals = {
  401: refusal("Another machine, and no token or a wrong one."),
  403: refusal("A web page, or a host name, that is not allowed."),
  429: refusal("Too many failed attempts, or too many connections: try again later.")
}

const get = (operationId: string, summary: string, responses: Json, more: Json = {}): Json => ({
  get: { operationId, summary, ...more, responses }
})
const document = (operationId: string, summary: string) =>
  get(operationId, summary, { 200: json(summary, { type: "object" }), ...refusals })

const session: Json = {
  description: "What can be said of a session in one line. Times are in seconds since 1970.",
  type: "object",
  required: [
    "session_id",
    "state",
    "tool",
    "folder",
    "created_at",
    "last_active_at",
    "last_seq",
    "turns",
    "cost_usd"
  ],
  properties: {
    session_id: { type: "string" },
    state: { enum: ["running", "idle", "closed"] },
    tool: { type: "string" },
    folder: { type: "string" },
    native_session_id: { type: "string" },
    title: {
      type: "string",
      description: "Given by a person, else by the agent, else the first line of the first prompt."
    },
    archived: { const: true, description: "A person has put it away." },
    created_at: { type: "number" },
    last_active_at: { type: "number" },
    last_seq: { type: "integer" },
    turns: { type: "integer" },
    cost_usd: { type: "number" },
    open_turn: { type: "integer", description: "The number of the turn that runs." },
    open_turn_seq: { type: "integer", description: "The seq of its turn_start." },
    pending_seqs: {
      type: "object",
      additionalProperties: { type: "integer" },
      description: "From each waiting permission's request_id to the seq it was asked at."
    },
    pending: { type: "array", items: { type: "string" }, description: "Permissions nobody has answered." },
    queued: { type: "array", items: { type: "string" }, description: "message_ids of prompts that wait." },
    acknowledged: {
      type: "array",
      items: { type: "string" },
      description: "message_ids of the last commands."
    }
  }
}

const agent: Json = {
  description: "What `ai-relay doctor` finds of an agent.",
  type: "object",
  required: ["tool", "name", "installed"],
  properties: {
    tool: { type: "string" },
    name: { type: "string" },
    installed: { type: "boolean", description: "Its program is there, or it needs none." },
    version: { type: "string" },
    tested: { type: "string", description: "The newest version the relay was tested with." },
    compatibility: {
      type: "string",
      description: "How its version relates to those that were tested, such as \"newer than tested (1.2.3)\"."
    },
    trouble: {
      type: "array",
      items: { type: "string" },
      description: "What it is known not to do, in this version or the nearest that was tested."
    },
    logged_in: { type: "boolean", description: "Absent: only opening a session shows it." },
    advice: { type: "string", description: "What to run to make it work." }
  }
}

const nativeSession: Json = {
  description: "A conversation somebody had with an agent in a terminal. What is absent is not known.",
  type: "object",
  required: ["tool", "native_session_id", "folder", "last_active_at", "bytes", "can", "continue_with"],
  properties: {
    tool: { type: "string" },
    native_session_id: {
      type: "string",
      description: "The agent's own id: the handshake's field of this name."
    },
    folder: { type: "string" },
    title: { type: "string" },
    title_by: { enum: ["user", "agent", "prompt"], description: "Whose words the title is." },
    first_prompt: { type: "string" },
    created_at: { type: "number" },
    last_active_at: { type: "number" },
    model: { type: "string" },
    branch: { type: "string", description: "The git branch." },
    bytes: { type: "integer", description: "Of its file." },
    archived: { type: "boolean" },
    origin: { enum: ["terminal", "headless", "ide", "background"], description: "How it was begun." },
    prompts: { type: "integer" },
    messages: {
      type: "integer",
      description: "Prompts and answers of the model. Counted after the first list."
    },
    tokens: {
      type: "object",
      required: ["input", "output", "cached"],
      properties: {
        input: { type: "integer" },
        output: { type: "integer" },
        cached: { type: "integer" }
      }
    },
    open: {
      description: "Somebody has it open now.",
      type: "object",
      required: ["by"],
      properties: {
        by: { enum: ["terminal", "relay", "background", "unknown"] },
        pid: { type: "integer" },
        state: { enum: ["idle", "busy", "waiting"] },
        waiting_for: { type: "string" },
        session_id: { type: "string", description: "The relay's session that has it open." }
      }
    },
    can: {
      type: "object",
      properties: {
        history: { type: "boolean" },
        follow: { type: "boolean" },
        resume: { type: "boolean" },
        fork: { type: "boolean" }
      }
    },
    continue_with: {
      description: "How to go on with it in a terminal.",
      type: "object",
      required: ["folder", "argv", "shell"],
      properties: {
        folder: { type: "string" },
        argv: { type: "array", items: { type: "string" } },
        shell: { type: "string", description: "The same as one line for a POSIX shell." },
        warning: { type: "string" }
      }
    }
  }
}

const inQuery = (name: string, description: string, schema: Json = { type: "string" }) => ({
  name,
  in: "query",
  description,
  schema
})
const inPath = (name: string) => ({ name, in: "path", required: true, schema: { type: "string" } })
const noNative = refusal("There is no such conversation, or none in a folder this relay may use.")
const usage: Json = {
  description: "What turns with the same value of the dimension have used together.",
  type: "object",
  required: [
    "name",
    "cost_usd",
    "input_tokens",
    "output_tokens",
    "cached_input_tokens",
    "turns",
    "minutes",
    "open_cost_usd",
    "unpriced_turns"
  ],
  properties: {
    name: {
      type: ["string", "null"],
      description: "The session's id, the folder, …; null where turns have none."
    },
    cost_usd: { type: "number" },
    input_tokens: { type: "number" },
    output_tokens: { type: "number" },
    cached_input_tokens: { type: "number" },
    turns: { type: "integer" },
    minutes: { type: "number" },
    open_cost_usd: { type: "number", description: "The part of turns that have not ended." },
    unpriced_turns: { type: "integer", description: "Turns nobody knows the price of." }
  }
}
const usageQuery = [
  {
    name: "by",
    in: "query",
    schema: { enum: ["session", "folder", "token", "agent", "model", "day"], default: "session" }
  },
  ...["since", "until"].map((name) => ({
    name,
    in: "query",
    description: "A day, included.",
    schema: { type: "string", format: "date" }
  }))
]

const sessionId = { name: "session_id", in: "path", required: true, schema: { type: "string" } }
const afterSeq = {
  name: "after_seq",
  in: "query",
  description: "Only events with a greater seq. A reconnecting EventSource says it by itself.",
  schema: { type: "integer", minimum: 0, default: 0 }
}

export const openApi = (): Json => ({
  openapi: "3.1.0",
  info: {
    title: "ai-relay over HTTP",
    version,
    description: "What the relay answers besides its WebSocket. Programs on its own machine need no token.",
    license: { name: "MIT", identifier: "MIT" }
  },
  servers: [{ url: "http://localhost:8765" }],
  security: [{}, { token: [] }],
  paths: {
    "/healthz": get("isAlive", "The process answers.", { 200: json("It does.", text("status")) }, {
      security: []
    }),
    "/readyz": get("isReady", "Sessions can be written.", {
      200: json("They can.", text("status")),
      503: json("They cannot, and why.", text("reason"))
    }, { security: [] }),
    "/agents": get("listAgents", "Which agents can be used here, at most a minute old.", {
      200: json("In the order they are offered.", {
        type: "object",
        required: ["agents"],
        properties: {
          agents: { type: "array", items: agent },
          folder: { type: "string", description: "where a session works that names no folder, if it may" }
        }
      }),
      ...refusals
    }),
    "/whoami": get("whoAmI", "Whether this client may connect.", {
      200: json("It may.", {
        type: "object",
        required: ["admitted"],
        properties: { admitted: { type: "boolean" } }
      }),
      ...refusals
    }),
    "/sessions": get("listSessions", "Live sessions, then those that are kept.", {
      200: json("The most recently active first.", {
        type: "object",
        required: ["sessions"],
        properties: { sessions: { type: "array", items: ref("Session") } }
      }),
      ...refusals
    }),
    "/sessions/{session_id}": {
      delete: {
        operationId: "forgetSession",
        summary: "Ends the session, if it is live, and removes all that is kept of it.",
        parameters: [sessionId],
        responses: {
          204: { description: "It is gone." },
          ...refusals,
          404: refusal("There is no such session."),
          409: refusal("Another relay on the same state folder has it open.")
        }
      },
      patch: {
        operationId: "changeSession",
        summary: "Names the session in the list, or puts it away. An empty title takes the name away.",
        parameters: [sessionId],
        requestBody: {
          required: true,
          content: {
            "application/json": {
              schema: {
                type: "object",
                properties: { title: { type: "string", maxLength: 200 }, archived: { type: "boolean" } }
              }
            }
          }
        },
        responses: {
          204: { description: "It is done." },
          ...refusals,
          400: refusal("The body is not what it should be."),
          404: refusal("There is no such session.")
        }
      }
    },
    "/sessions/{session_id}/events": get("followSession", "A session's events as Server-Sent Events.", {
      200: {
        description: "Each event as `data`, its seq as `id`; live ones follow until the session ends.",
        content: { "text/event-stream": { schema: { type: "string" }, "x-event-schema": ref("Event") } }
      },
      ...refusals,
      404: refusal("There is no such session.")
    }, { parameters: [sessionId, afterSeq] }),
    "/native-sessions": get("listNativeSessions", "Conversations people had with agents in a terminal.", {
      200: json("The most recently written first; only of folders the relay may use.", {
        type: "object",
        required: ["sessions"],
        properties: {
          sessions: { type: "array", items: ref("NativeSession") },
          next_cursor: { type: "string", description: "For `cursor`, if there are more." },
          agents: {
            description: "What came of asking those agents that tell their conversations themselves.",
            type: "array",
            items: {
              type: "object",
              required: ["tool", "state"],
              properties: {
                tool: { type: "string" },
                state: {
                  enum: ["ok", "partial", "failed"],
                  description: "`partial`: it has not answered yet, ask again."
                },
                text: { type: "string", description: "Why it failed." }
              }
            }
          }
        }
      }),
      ...refusals,
      404: refusal("The folder does not exist, or is not allowed.")
    }, {
      parameters: [
        inQuery("tool", "Only of this agent."),
        inQuery("folder", "Only of this folder and those below."),
        inQuery("q", "Words that stand in title, first prompt, folder, branch, agent or id."),
        inQuery("limit", "How many, at most 200.", {
          type: "integer",
          minimum: 1,
          maximum: 200,
          default: 50
        }),
        inQuery("cursor", "What `next_cursor` said.")
      ]
    }),
    "/native-sessions/{tool}/{native_session_id}": get(
      "getNativeSession",
      "One conversation, with all that can be counted.",
      { 200: json("It.", ref("NativeSession")), ...refusals, 404: noNative },
      { parameters: [inPath("tool"), inPath("native_session_id")] }
    ),
    "/native-sessions/{tool}/{native_session_id}/events": get(
      "readNativeSession",
      "What was said in it: the last turns, or those before a place. The agent is not started.",
      {
        200: json("Oldest first; events as on the socket, without `seq` and `session_id`.", {
          type: "object",
          required: ["events"],
          properties: {
            events: { type: "array", items: { type: "object" } },
            before: {
              type: "string",
              description: "Where the page before this one ends; absent at the beginning."
            }
          }
        }),
        ...refusals,
        404: noNative
      },
      {
        parameters: [
          inPath("tool"),
          inPath("native_session_id"),
          inQuery("before", "What `before` of another page said."),
          inQuery("limit", "Turns at most.", { type: "integer", minimum: 1, maximum: 200, default: 20 })
        ]
      }
    ),
    "/usage": get("getUsage", "What sessions have used, summed by one dimension, the largest first.", {
      200: json("US dollars, tokens, turns and minutes.", {
        type: "object",
        required: ["by", "usage"],
        properties: { by: { type: "string" }, usage: { type: "array", items: usage } }
      }),
      ...refusals,
      400: refusal("A dimension or a day that is none.")
    }, { parameters: usageQuery }),
    "/metrics": get("getMetrics", "What is counted, as Prometheus reads it.", {
      200: {
        description: "The text format 0.0.4.",
        content: { "text/plain": { schema: { type: "string" } } }
      },
      ...refusals
    }),
    "/ticket": {
      post: {
        operationId: "issueTicket",
        summary: "Lets one connection in, once, instead of the token: the handshake's `ticket`.",
        responses: {
          200: json("The ticket, and the seconds it is good for.", {
            type: "object",
            required: ["ticket", "expires_in"],
            properties: { ticket: { type: "string" }, expires_in: { type: "number" } }
          }),
          ...refusals
        }
      }
    },
    "/schema.json": document("getJsonSchema", "Every frame of the WebSocket as JSON Schema."),
    "/asyncapi.json": document("getAsyncApi", "The WebSocket as AsyncAPI."),
    "/openapi.json": document("getOpenApi", "This document.")
  },
  components: {
    securitySchemes: { token: { type: "http", scheme: "bearer" } },
    schemas: { NativeSession: nativeSession, Session: session, ...definitionsAt("#/components/schemas/") }
  }
})
