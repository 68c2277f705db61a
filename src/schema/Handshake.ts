/**
 * Handshake: the first frame of a connection. It names the agent, the folder, and the session to open or attach to.
 *
 * Unknown fields are ignored, so that pages written for a newer relay still work.
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

/** For `generic`: the size of the terminal; `raw` sends its bytes unchanged, for a terminal emulator. */
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

/** For `cortex`: the account and what to ask there. Contains only names of variables, never their values. */
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
  /** Seconds without a byte until a request is given up; 0: never. Default 120, for an agent 900. */
  timeout: optional(Seconds)
})
export type SnowflakeOptions = typeof SnowflakeOptions.Type

/** An MCP server for the agent: a program on the relay's machine, or a URL that it can reach. */
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

/** Options of a Codex thread, passed to Codex as they are. */
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
  /** Default `claude`; for an existing session, the one it was opened with. */
  tool: optional(NonEmptyText),
  /** Default `.`, where the relay was started; for an existing session, its folder. */
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
  /** Whether to send the earlier conversation: the last turns (`true`, `recent`), or all. */
  history: optional(
    Schema.Union([Schema.Boolean, Schema.Literals(["none", "recent", "all"])]).annotate(
      says("must be true, false, \"none\", \"recent\" or \"all\"")
    )
  ),
  /** If somebody else has the conversation open: refuse, follow it, continue in a copy, or join. */
  if_open: optional(oneOf("refuse", "follow", "fork", "join")),
  /** Continue in a copy of the conversation. */
  fork: optional(Flag),
  /** Only follow the conversation; the first prompt starts the agent. */
  follow: optional(Flag),
  after_seq: optional(Count),
  linger: optional(Seconds),
  budget: optional(Budget),
  on_limit: optional(OnLimit),
  /** Only open an existing session; refuse to create a new one. */
  must_exist: optional(Flag),
  /** Give the agent the relay's own tools, to delegate work to other agents. */
  relay_tools: optional(Flag),
  /** The session whose agent opens this one; shown in the list of sessions. */
  parent: optional(SessionId),
  mcp_servers: optional(Schema.Array(McpServer).annotate(says("must be a list of MCP servers"))),
  /** The client's software, such as `acp (zed)`; shown to others with this client's answers. */
  front: optional(
    Schema.NonEmptyString.check(Schema.isMaxLength(100)).annotate(
      says("must be a string of 1 to 100 characters")
    )
  ),
  raw: optional(Flag),
  /** Open no session; watch the list of sessions. */
  watch: optional(oneOf("sessions")),
  token: optional(NonEmptyText),
  /** A ticket from `POST /ticket`, in place of the token; works once. */
  ticket: optional(NonEmptyText)
})

/** Spellings of the old protocol, and the fields they mean. `null` counts as absent, so it replaces nothing. */
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
