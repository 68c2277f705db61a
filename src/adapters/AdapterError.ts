/**
 * AdapterError: what can go wrong between the relay and an agent, one class per decision a caller makes.
 *
 * Messages are shown to people: each says what to do next. None holds a prompt, output or a secret.
 */
import { Schema } from "effect"

/** The program is not there. */
export class CommandNotFound extends Schema.TaggedError<CommandNotFound>()("CommandNotFound", {
  command: Schema.String,
  /** What to run, such as `npm install -g @openai/codex`. */
  advice: Schema.String
}) {
  override get message() {
    return `The program "${this.command}" was not found on the relay's PATH. ${this.advice}`
  }
}

/** The agent wants a login first. */
export class AuthRequired extends Schema.TaggedError<AuthRequired>()("AuthRequired", {
  tool: Schema.String,
  /** What to run, such as `codex login`. */
  advice: Schema.String
}) {
  override get message() {
    return `${this.tool} is not logged in. ${this.advice}`
  }
}

/** The agent did not start, or ended when it should have worked. */
export class AgentFailed extends Schema.TaggedError<AgentFailed>()("AgentFailed", {
  tool: Schema.String,
  reason: Schema.String,
  cause: Schema.optional(Schema.Defect())
}) {
  override get message() {
    return `${this.tool} failed: ${this.reason}`
  }
}

/** No program can be given a terminal on this machine; agents that need none still work. */
export class TerminalUnavailable
  extends Schema.TaggedError<TerminalUnavailable>()("TerminalUnavailable", { cause: Schema.Defect() })
{
  override get message() {
    return "The relay cannot open terminals here: the native part of its package node-pty does not load. Install "
      + "ai-relay again with npm on this machine, without --omit=optional (on Linux it needs glibc 2.28 or newer)."
  }
}

/** The agent does not have this conversation any more, or never wrote it: nobody had prompted in it. */
export class ConversationGone extends Schema.TaggedError<ConversationGone>()("ConversationGone", {
  tool: Schema.String,
  native_session_id: Schema.String,
  /** What to say instead. */
  reason: Schema.optional(Schema.String),
  /** The agent's own words, where they do not say that the conversation is gone. */
  why: Schema.optional(Schema.String)
}) {
  override get message() {
    return this.reason ??
      `${this.tool} has no conversation "${this.native_session_id}" to go on with: leave \`native_session_id\` out to `
        + "begin a new one"
  }
}

/** The handshake asks for something this agent cannot be started with. */
export class BadHandshake
  extends Schema.TaggedError<BadHandshake>()("BadHandshake", { reason: Schema.String })
{
  override get message() {
    return this.reason
  }
}

/** The agent (or the adapter on its behalf) refuses a command; the session goes on. */
export class CommandRefused extends Schema.TaggedError<CommandRefused>()("CommandRefused", {
  reason: Schema.String,
  /** What a program can decide by; default `bad_command`. */
  code: Schema.optional(Schema.Literals(["in_use", "files_changed"])),
  /** What else a program can use. */
  metadata: Schema.optional(Schema.Record(Schema.String, Schema.Unknown))
}) {
  override get message() {
    return this.reason
  }
}

/** Somebody else has the conversation open, and two must not write to it. */
export class ConversationInUse
  extends Schema.TaggedError<ConversationInUse>()("ConversationInUse", { reason: Schema.String })
{
  override get message() {
    return this.reason
  }
}

/** Opening an agent fails with one of these. */
export type OpenError =
  | CommandNotFound
  | AuthRequired
  | AgentFailed
  | TerminalUnavailable
  | ConversationGone
  | BadHandshake
  | ConversationInUse
/** A command fails with one of these; `AgentFailed` means the agent is gone. */
export type SendError = CommandRefused | AgentFailed
