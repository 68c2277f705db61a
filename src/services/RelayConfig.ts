/**
 * RelayConfig: every setting of the relay, with its default. The CLI fills it from flags, `AI_RELAY_*` variables and a
 * file; embedders give an object. Durations are seconds, sizes are bytes.
 */
import { Context, Layer, type Redacted } from "effect"
import { homedir } from "node:os"
import { isAbsolute, parse } from "node:path"
import type { OwnAgent } from "../adapters/acp/AcpAgent.js"
import type { AdapterLayer } from "../adapters/AgentDescriptor.js"
import type { AtCap } from "./budget/BudgetGuard.js"
import type { Rule } from "./budget/Budgets.js"
import type { Prices } from "./budget/Prices.js"
import type { PolicyFile } from "./policy/Policy.js"

export interface Settings {
  /** Folders that sessions may work in, with everything below. Default: the current folder and the home folder. */
  readonly roots: ReadonlyArray<string>
  /** The folder that relative paths start from. Default: the current folder. */
  readonly start_folder?: string
  /** Variables that a handshake's `env` may set although they may change what code is loaded or where secrets go. */
  readonly allow_env: ReadonlyArray<string>
  /**
   * Programs that sessions may run on a terminal, also by their name as `tool`; `*` allows any. Default: none, so `generic` runs
   * any `command`, but no `tool` is taken for a program.
   */
  readonly allow_programs: ReadonlyArray<string>
  /** Hosts outside snowflakecomputing.com that may receive a token, such as `proxy.example.com:8443`. */
  readonly cortex_hosts: ReadonlyArray<string>
  /** Variables besides SNOWFLAKE_PAT that a handshake may name as its `snowflake.token_env`. */
  readonly cortex_token_env: ReadonlyArray<string>
  /** Allowed agents, by their `tool`; `generic` means every program on a terminal. Default: all. */
  readonly tools: ReadonlyArray<string>
  /** Refuses arguments for agents in handshakes (`extra_args`, Codex' `config`). */
  readonly no_extra_args: boolean
  /** Refuses programs in handshakes (`command` of `generic` and `acp`), except those in `allow_programs`. */
  readonly no_command: boolean
  /** Lets clients send any request of an agent's own protocol. Default: only those that the adapter lists as harmless. */
  readonly allow_native_requests: boolean
  /**
   * Allowed permission modes, by any of their names; empty: all. For Codex they also limit `sandbox` and `approval_policy`.
   */
  readonly permission_modes: ReadonlyArray<string>
  /** Variables that every agent inherits from the relay, too; `NAME*` for all with this prefix, `*` for all. */
  readonly pass_env: ReadonlyArray<string>
  /** Starts every agent in a sandbox (Linux, bubblewrap). The relay does not start if that is not possible. */
  readonly sandbox: boolean
  /** Folders that sandboxed agents may also read, or also write to. */
  readonly sandbox_read: ReadonlyArray<string>
  readonly sandbox_write: ReadonlyArray<string>
  /** Files and folders of the relay that are hidden in the sandbox, besides the state folder. `…/`: a folder, made if it is missing. */
  readonly private_files: ReadonlyArray<string>
  /** How long a permission request waits for an answer. */
  readonly permission_timeout: number
  /** How long an agent has to stop a turn before it is ended. */
  readonly interrupt_timeout: number
  /** How long a session with an id chosen by its client stays open without clients, once it is idle. */
  readonly linger: number
  /** The longest `linger` a client may ask for; larger values are reduced to it. */
  readonly max_linger: number
  /** Clients that may send a session commands: all, or one at a time while the others watch. */
  readonly drivers: "many" | "one"
  /** How long the driver has to answer before another client takes over. */
  readonly take_over_timeout: number
  /** Most live sessions, each with a process of its own. */
  readonly max_sessions: number
  /** Most live sessions opened by one address or one named token. Those of this machine are not counted. */
  readonly max_sessions_per_sender: number
  /** Most prompts that may wait behind a running turn. */
  readonly max_queued: number
  /** Most bytes of prompts behind a running turn; and, separately, of commands in a session's inbox. */
  readonly max_queued_bytes: number
  /** Bytes of events to keep in memory per session while they are not on disk. */
  readonly retain_bytes: number
  /** Folder where sessions are saved; without it they end with the relay. */
  readonly state_dir?: string
  /** Most bytes of events saved per session; the oldest are deleted first. */
  readonly journal_bytes: number
  /** Most bytes saved of all sessions; the least recently used are deleted first, live ones share the space. */
  readonly journal_total_bytes: number
  /** Most saved sessions; the least recently used are deleted first. */
  readonly max_kept_sessions: number
  /** Most events saved per session, approximately. */
  readonly journal_events: number
  /** Days until an unused session is deleted. */
  readonly journal_days: number
  /** Conversations held with agents in a terminal are neither listed nor shown nor followed. */
  readonly no_native_sessions: boolean
  /** Saves no state of sessions' folders before turns, so their files cannot be rewound. */
  readonly no_checkpoints: boolean
  /** Writes a transcript of every session to this folder, with secrets redacted. */
  readonly record?: string
  /** The operator's own agents that speak the Agent Client Protocol, besides the known ones. */
  readonly acp_agents: ReadonlyArray<OwnAgent>
  /** An app's own agents, besides the known ones. One with the `tool` of a known agent takes its place. */
  readonly adapters: ReadonlyArray<AdapterLayer>
  /** Where to send notifications: webhooks (`https://…`) and topics of ntfy (`ntfy:https://ntfy.sh/TOPIC`). */
  readonly notify: ReadonlyArray<string>
  /** The relay's address in a browser, such as `https://relay.example`, for links in notifications. */
  readonly notify_link?: string | undefined
  /**
   * Origins of allowed push services at private addresses or without TLS, such as `http://127.0.0.1:9000`. Public ones are always
   * allowed.
   */
  readonly allow_push_service: ReadonlyArray<string>
  /** The operator's rules for what agents may do without asking, and what they may never do. */
  readonly policy?: PolicyFile
  /** Caps on what sessions use, such as `{ scope: "day", unit: "cost_usd", cap: 20 }`. Default: none. */
  readonly budgets: ReadonlyArray<Rule>
  /** What to do when a cap is reached: ask a person, stop the turn, or end the session. */
  readonly budget_at_cap: AtCap
  /** Percentage of a cap at which clients are warned. */
  readonly budget_warn_pct: number
  /** The time zone in which a budget's day ends, such as `Europe/Berlin`. Default: the machine's. */
  readonly budget_time_zone?: string | undefined
  /** Prices of tokens, for agents that do not report costs. */
  readonly prices: Prices
  /** Values to remove from transcripts, such as the relay's own token. */
  readonly secrets?: ReadonlyArray<Redacted.Redacted>
  /** Makes spans of every session with the current Effect tracer. */
  readonly trace: boolean
}

/** The default roots. A service that was started in `/` must not allow everything by default: that has to be set explicitly. */
const ownFolders = () => [process.cwd(), ...homes()].filter((folder) => folder !== parse(folder).root)

/** A program that embeds the relay may run as somebody without a home. */
const homes = (): ReadonlyArray<string> => {
  try {
    return [homedir()].filter(isAbsolute)
  } catch {
    return []
  }
}

export const defaults = (): Settings => ({
  roots: ownFolders(),
  acp_agents: [],
  adapters: [],
  allow_env: [],
  allow_programs: [],
  tools: [],
  no_extra_args: false,
  no_command: false,
  allow_native_requests: false,
  permission_modes: [],
  pass_env: [],
  sandbox: false,
  sandbox_read: [],
  sandbox_write: [],
  private_files: [],
  cortex_hosts: [],
  cortex_token_env: [],
  permission_timeout: 30 * 60,
  interrupt_timeout: 30,
  linger: 30 * 60,
  max_linger: 24 * 3600,
  drivers: "many",
  take_over_timeout: 30,
  max_sessions: 200,
  max_sessions_per_sender: 100,
  max_queued: 100,
  max_queued_bytes: 64 * 1024 * 1024,
  retain_bytes: 16 * 1024 * 1024,
  journal_bytes: 256 * 1024 * 1024,
  journal_total_bytes: 20 * 1024 ** 3,
  max_kept_sessions: 50_000,
  journal_events: 1_000_000,
  journal_days: 30,
  no_native_sessions: false,
  no_checkpoints: false,
  notify: [],
  allow_push_service: [],
  budgets: [],
  budget_at_cap: "ask",
  budget_warn_pct: 80,
  prices: {},
  trace: false
})

export class RelayConfig extends Context.Service<RelayConfig, Settings>()("ai-relay/services/RelayConfig") {
  static readonly layer = (settings: Partial<Settings> = {}) =>
    Layer.sync(this, () => ({ ...defaults(), ...settings }))
}
