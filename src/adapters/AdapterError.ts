/**
 * AdapterError: what can go wrong between the relay and an agent, one class per decision a caller makes.
 *
 * Messages are shown to people: each says what to do next. None contains a prompt, output or a secret.
 */
import { Schema } from "effect"

/** The program was not found. */
export class CommandNotFound extends Schema.TaggedError<CommandNotFound>()("CommandNotFound", {
  command: Schema.String,
  /** What to run, for example `npm install -g @openai/codex`. */
  advice: Schema.String
}) {
  override get message() {
    return `The program "${this.command}" was not found on the relay's PATH. ${this.advice}`
  }
}

/** The agent needs a login first. */
export class AuthRequired extends Schema.TaggedError<AuthRequired>()("AuthRequired", {
  tool: Schema.String,
  /** What to run, for example `codex login`. */
  advice: Schema.String
}) {
  override get message() {
    return `${this.tool} is not logged in. ${this.advice}`
  }
}

/** The agent did not start, or ended unexpectedly. */
export class AgentFailed extends Schema.TaggedError<AgentFailed>()("AgentFailed", {
  tool: Schema.String,
  reason: Schema.String,
  cause: Schema.optional(Schema.Defect())
}) {
  override get message() {
    return `${this.tool} failed: ${this.reason}`
  }
}

/** This machine cannot give programs a terminal; agents that need none still work. */
export class TerminalUnavailable
  extends Schema.TaggedError<TerminalUnavailable>()("TerminalUnavailable", { cause: Schema.Defect() })
{
  override get message() {
    return "The relay cannot open terminals here: the native part of the package node-pty cannot be loaded. Install "
      + "ai-relay again with npm on this machine, without --omit=optional (on Linux it needs glibc 2.28 or newer)."
  }
}

/** The agent no longer has this conversation, or never wrote it because nobody had prompted in it. */
export class ConversationGone extends Schema.TaggedError<ConversationGone>()("ConversationGone", {
  tool: Schema.String,
  native_session_id: Schema.String,
  /** Text to show instead of the default message. */
  reason: Schema.optional(Schema.String),
  /** The agent's own wording, if it does not say that the conversation is gone. */
  why: Schema.optional(Schema.String)
}) {
  override get message() {
    return this.reason ??
      `${this.tool} has no conversation "${this.native_session_id}" to continue: leave out \`native_session_id\` to `
        + "begin a new one"
  }
}

/** The handshake asks for something this agent does not support at start. */
export class BadHandshake
  extends Schema.TaggedError<BadHandshake>()("BadHandshake", { reason: Schema.String })
{
  override get message() {
    return this.reason
  }
}

/** The agent, or the adapter on its behalf, refused a command; the session continues. */
export class CommandRefused extends Schema.TaggedError<CommandRefused>()("CommandRefused", {
  reason: Schema.String,
  /** Machine-readable code; default `bad_command`. */
  code: Schema.optional(Schema.Literals(["in_use", "files_changed"])),
  /** Additional machine-readable fields. */
  metadata: Schema.optional(Schema.Record(Schema.String, Schema.Unknown))
}) {
  override get message() {
    return this.reason
  }
}

/** Another process has the conversation open, and two must not write to it. */
export class ConversationInUse
  extends Schema.TaggedError<ConversationInUse>()("ConversationInUse", { reason: Schema.String })
{
  override get message() {
    return this.reason
  }
}

/** Errors of opening an agent. */
export type OpenError =
  | CommandNotFound
  | AuthRequired
  | AgentFailed
  | TerminalUnavailable
  | ConversationGone
  | BadHandshake
  | ConversationInUse
/** Errors of sending a command; `AgentFailed` means the agent is gone. */
export type SendError = CommandRefused | AgentFailed
