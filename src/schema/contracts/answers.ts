/** answers: what HTTP routes answer with, by the name the routes give it. */
import type { Json } from "./jsonSchema.js"

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
    opened_by: {
      type: "object",
      description: "What its first client used, and the session whose agent that was.",
      properties: { front: { type: "string" }, session_id: { type: "string" } }
    },
    queued: { type: "array", items: { type: "string" }, description: "message_ids of prompts that wait." },
    acknowledged: {
      type: "array",
      items: { type: "string" },
      description: "message_ids of the last commands."
    }
  }
}

const schedule: Json = {
  description: "A prompt for later. Times are in seconds since 1970.",
  type: "object",
  required: ["schedule_id", "session_id", "text", "paused", "created_at", "runs", "missed"],
  properties: {
    schedule_id: { type: "string" },
    session_id: { type: "string" },
    text: { type: "string", description: "The prompt's first 200 characters." },
    every: { type: "string", description: "A cron expression; absent: it runs once." },
    time_zone: { type: "string", description: "Whose clock the expression means; absent: the relay's." },
    next_at: { type: "number", description: "When it runs next; absent: never again." },
    paused: { type: "boolean" },
    created_at: { type: "number" },
    runs: { type: "integer" },
    missed: { type: "integer", description: "Runs that were due while no relay ran or the machine slept." },
    last: {
      type: "object",
      required: ["at", "status"],
      properties: {
        at: { type: "number" },
        status: { enum: ["started", "skipped", "missed", "failed"] },
        text: { type: "string" }
      }
    }
  }
}

const leftOut: Json = {
  description: "A file that is in no checkpoint.",
  type: "object",
  required: ["path", "why"],
  properties: {
    path: { type: "string" },
    why: { enum: ["too_large", "repository", "unreadable", "special"] }
  }
}

const checkpoint: Json = {
  description: "How the folder was before a turn.",
  type: "object",
  required: ["turn", "at", "left_out"],
  properties: {
    turn: { type: "integer" },
    at: { type: "number", description: "Unix time in seconds." },
    left_out: {
      type: "array",
      items: { $ref: "#/components/schemas/LeftOut" },
      description: "What is not kept in it besides what is ignored, as far as it was seen then."
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

const strings: Json = { type: "array", items: { type: "string" } }

const token: Json = {
  description: "Who may use the relay, and for what. Absent limits: none. Times are in seconds since 1970.",
  type: "object",
  required: ["name", "scopes", "created_at"],
  properties: {
    name: { type: "string" },
    scopes: strings,
    sessions: strings,
    folders: strings,
    agents: strings,
    created_at: { type: "number" },
    expires_at: { type: "number" },
    made_by: { type: "string", description: "The token it was made with: revoked with that one." }
  }
}

/** Each by its name in the OpenAPI document. */
export const answers = {
  Agent: agent,
  Checkpoint: checkpoint,
  LeftOut: leftOut,
  NativeSession: nativeSession,
  Schedule: schedule,
  Session: session,
  Token: token,
  Usage: usage
}
