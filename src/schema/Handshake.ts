/**
 * Handshake: the first frame of a connection. It names the agent, the folder, and the session to open or attach to.
 *
 * Unknown fields are ignored, so that a page written for a newer relay still works.
 */
import { Schema, SchemaGetter } from "effect"
import { Budget, OnLimit } from "./Budget.js"
import {
  AnyObject,
  Count,
  Flag,
  group,
  NonEmptyText,
  oneOf,
  optional,
  says,
  Seconds,
  Text,
  TextList,
  TextMap
} from "./fields.js"
import { SessionId } from "./Ids.js"

/** `generic`: the size of the terminal; `raw` sends its bytes untouched, for a terminal emulator. */
export const PtyOptions = group({
  cols: optional(
    Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1000 })).annotate(
      says("must be a whole number from 1 to 1000")
    )
  ),
  rows: optional(
    Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1000 })).annotate(
      says("must be a whole number from 1 to 1000")
    )
  ),
  raw: optional(Flag)
})
export type PtyOptions = typeof PtyOptions.Type

/** `cortex`: where the account is and what to ask there. Never holds a variable's value, only its name. */
export const SnowflakeOptions = group({
  account_url: optional(NonEmptyText),
  token: optional(NonEmptyText),
  token_env: optional(NonEmptyText),
  token_type: optional(NonEmptyText),
  semantic_view: optional(NonEmptyText),
  semantic_model: optional(NonEmptyText),
  semantic_model_file: optional(NonEmptyText),
  semantic_models: optional(Schema.Array(AnyObject).annotate(says("must be a list of objects"))),
  agent: optional(NonEmptyText),
  model: optional(NonEmptyText),
  /** Seconds without a byte until a request is given up; 0 for ever. Default 120, for an agent 900. */
  timeout: optional(Seconds)
})
export type SnowflakeOptions = typeof SnowflakeOptions.Type

/** A program of the relay's machine, or an address it can reach, that gives the agent tools (Model Context Protocol). */
export const McpServer = Schema.Union([
  Schema.Struct({
    name: NonEmptyText,
    command: NonEmptyText,
    args: optional(TextList),
    env: optional(TextMap)
  }),
  Schema.Struct({
    name: NonEmptyText,
    type: oneOf("http", "sse"),
    url: NonEmptyText,
    headers: optional(TextMap)
  })
]).annotate(says(
  "must be {\"name\":\"…\",\"command\":\"…\",\"args\":[…],\"env\":{…}} or "
    + "{\"name\":\"…\",\"type\":\"http\" or \"sse\",\"url\":\"https://…\",\"headers\":{…}}"
))
export type McpServer = typeof McpServer.Type

/** Options of a Codex thread, handed to Codex as they are. */
const codexOptions = {
  approval_policy: optional(
    Schema.Union([Text, AnyObject]).annotate(says("must be a string or an object, as Codex has it"))
  ),
  sandbox: optional(Text),
  ephemeral: optional(Flag),
  serviceName: optional(Text),
  modelProvider: optional(Text),
  serviceTier: optional(Text),
  approvalsReviewer: optional(Text),
  config: optional(AnyObject),
  baseInstructions: optional(Text),
  developerInstructions: optional(Text),
  personality: optional(Text)
}

const Command = Schema.Union([Schema.TupleWithRest(Schema.Tuple([NonEmptyText]), [Text]), NonEmptyText])
  .annotate(says("must be the program and its arguments as a list of strings, such as [\"bash\", \"-l\"]"))

const Fields = Schema.Struct({
  /** Default `claude`; for a session that was before, what it was opened with. */
  tool: optional(NonEmptyText),
  /** Default `.`, where the relay was started; likewise. */
  folder: optional(NonEmptyText),
  model: optional(NonEmptyText),
  extra_args: optional(TextList),
  session_id: optional(SessionId),
  env: optional(TextMap),
  mode: optional(oneOf("chat", "analyst", "agent")),
  snowflake: optional(SnowflakeOptions),
  ...codexOptions,
  permission_mode: optional(NonEmptyText),
  command: optional(Command),
  pty: optional(PtyOptions),
  native_session_id: optional(NonEmptyText),
  /** Tell what was said in the conversation before: the last turns (`true`, `recent`), or all. */
  history: optional(
    Schema.Union([Schema.Boolean, Schema.Literals(["none", "recent", "all"])]).annotate(
      says("must be true, false, \"none\", \"recent\" or \"all\"")
    )
  ),
  /** Somebody else has the conversation open: refuse, follow it, or go on in a copy. */
  if_open: optional(oneOf("refuse", "follow", "fork", "join")),
  /** Go on in a copy of the conversation. */
  fork: optional(Flag),
  /** Only follow the conversation: the agent is started by the first prompt. */
  follow: optional(Flag),
  after_seq: optional(Count),
  linger: optional(Seconds),
  budget: optional(Budget),
  on_limit: optional(OnLimit),
  /** Only a session that was before; a new one is not begun. */
  must_exist: optional(Flag),
  /** The agent gets the relay's own tools, to give work to others. */
  relay_tools: optional(Flag),
  /** The session whose agent opens this one: told in the list of sessions. */
  parent: optional(SessionId),
  mcp_servers: optional(Schema.Array(McpServer).annotate(says("must be a list of MCP servers"))),
  /** What the person uses, such as `acp (zed)`: told to others with the answers given. */
  front: optional(
    Schema.NonEmptyString.check(Schema.isMaxLength(100)).annotate(
      says("must be a string of 1 to 100 characters")
    )
  ),
  raw: optional(Flag),
  /** No session: the list of them, and what changes in it. */
  watch: optional(oneOf("sessions")),
  token: optional(NonEmptyText),
  /** Instead of the token, once: what `POST /ticket` gave. */
  ticket: optional(NonEmptyText)
})

/** Other spellings of the old protocol, and the field they mean. `null` means absent, so it replaces nothing. */
const spellings: Record<string, string> = { approvalPolicy: "approval_policy" }

const spelled = (fields: typeof AnyObject.Type) =>
  Object.fromEntries(
    Object.entries(fields)
      .filter(([, value]) => value !== null)
      .map(([name, value]) => [Object.hasOwn(spellings, name) ? spellings[name] : name, value])
  )

export const Handshake = AnyObject.pipe(
  Schema.decodeTo(Fields, {
    // What `Fields` accepts is what it finds out; encoded, the fields are any object.
    decode: SchemaGetter.transform((fields) => spelled(fields) as typeof Fields.Encoded),
    encode: SchemaGetter.transform((fields) => ({ ...fields }))
  })
)
export type Handshake = typeof Fields.Type
export const HandshakeFields = Fields
