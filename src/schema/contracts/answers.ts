/** answers: schemas of answers over HTTP, by their name in the routes. */
import type { Json } from "./jsonSchema.js"

const session: Json = {
  description: "A session in short. Times are in seconds since 1970.",
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
      description: "Set by a person, else by the agent, else the first line of the first prompt."
    },
    archived: { const: true, description: "Archived by a person." },
    created_at: { type: "number" },
    last_active_at: { type: "number" },
    last_seq: { type: "integer" },
    turns: { type: "integer" },
    cost_usd: { type: "number" },
    open_turn: { type: "integer", description: "The number of the running turn." },
    open_turn_seq: { type: "integer", description: "The seq of its turn_start." },
    pending_seqs: {
      type: "object",
      additionalProperties: { type: "integer" },
      description: "The seq of each open permission request, by request_id."
    },
    pending: {
      type: "array",
      items: { type: "string" },
      description: "Permission requests without an answer."
    },
    opened_by: {
      type: "object",
      description: "The front of its first client, and the session whose agent that client was.",
      properties: { front: { type: "string" }, session_id: { type: "string" } }
    },
    queued: { type: "array", items: { type: "string" }, description: "message_ids of queued prompts." },
    acknowledged: {
      type: "array",
      items: { type: "string" },
      description: "message_ids of the most recent commands."
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
    time_zone: { type: "string", description: "The time zone of the expression; absent: the relay's." },
    next_at: { type: "number", description: "The next run; absent: it will not run again." },
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
  description: "A file that is not in the checkpoint.",
  type: "object",
  required: ["path", "why"],
  properties: {
    path: { type: "string" },
    why: { enum: ["too_large", "repository", "unreadable", "special"] }
  }
}

const checkpoint: Json = {
  description: "The state of the folder before a turn.",
  type: "object",
  required: ["turn", "at", "left_out"],
  properties: {
    turn: { type: "integer" },
    at: { type: "number", description: "Unix time in seconds." },
    left_out: {
      type: "array",
      items: { $ref: "#/components/schemas/LeftOut" },
      description: "What it does not contain besides ignored files, as far as known at the time."
    }
  }
}

const agent: Json = {
  description: "What `ai-relay doctor` finds out about an agent.",
  type: "object",
  required: ["tool", "name", "installed"],
  properties: {
    tool: { type: "string" },
    name: { type: "string" },
    installed: { type: "boolean", description: "Whether its program is installed, or it needs none." },
    version: { type: "string" },
    tested: { type: "string", description: "The newest version the relay was tested with." },
    compatibility: {
      type: "string",
      description: "How its version compares to the tested ones, such as \"newer than tested (1.2.3)\"."
    },
    trouble: {
      type: "array",
      items: { type: "string" },
      description: "Known problems of this version, or of the nearest tested one."
    },
    logged_in: { type: "boolean", description: "Absent: only opening a session can tell." },
    advice: { type: "string", description: "What to run to make it work." }
  }
}

const nativeSession: Json = {
  description: "A conversation held with an agent in a terminal. Absent fields are unknown.",
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
    title_by: { enum: ["user", "agent", "prompt"], description: "Who set the title." },
    first_prompt: { type: "string" },
    created_at: { type: "number" },
    last_active_at: { type: "number" },
    model: { type: "string" },
    branch: { type: "string", description: "The git branch." },
    bytes: { type: "integer", description: "The size of its file." },
    archived: { type: "boolean" },
    origin: { enum: ["terminal", "headless", "ide", "background"], description: "How it was started." },
    prompts: { type: "integer" },
    messages: {
      type: "integer",
      description: "Prompts and answers. Counted after the first list."
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
      description: "Where it is open now.",
      type: "object",
      required: ["by"],
      properties: {
        by: { enum: ["terminal", "relay", "background", "unknown"] },
        pid: { type: "integer" },
        state: { enum: ["idle", "busy", "waiting"] },
        waiting_for: { type: "string" },
        session_id: { type: "string", description: "The session of this relay that has it open." }
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
      description: "How to continue it in a terminal.",
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
  description: "Total usage of turns with the same value of the dimension.",
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
      description: "The session's id, the folder, …; null for turns without one."
    },
    cost_usd: { type: "number" },
    input_tokens: { type: "number" },
    output_tokens: { type: "number" },
    cached_input_tokens: { type: "number" },
    turns: { type: "integer" },
    minutes: { type: "number" },
    open_cost_usd: { type: "number", description: "The part that belongs to turns which have not ended." },
    unpriced_turns: { type: "integer", description: "Turns whose cost is unknown." }
  }
}

const strings: Json = { type: "array", items: { type: "string" } }

const token: Json = {
  description:
    "A token: who may use the relay, and for what. Absent limits: none. Times are in seconds since 1970.",
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
    made_by: { type: "string", description: "The token it was made with; revoked together with that one." }
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
