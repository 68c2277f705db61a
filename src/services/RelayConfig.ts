/**
 * RelayConfig: every setting of the relay, with its default. The CLI fills it from flags, `AI_RELAY_*` variables and a
 * file; embedders give an object. Durations are seconds, sizes are bytes.
 */
import { Context, Layer, type Redacted } from "effect"
import { homedir } from "node:os"
import { isAbsolute, parse } from "node:path"
import type { OwnAgent } from "../adapters/acp/AcpAgent.js"
import type { AtCap } from "./budget/BudgetGuard.js"
import type { Rule } from "./budget/Budgets.js"
import type { Prices } from "./budget/Prices.js"
import type { PolicyFile } from "./policy/Policy.js"

export interface Settings {
  /** Folders sessions may work in, with all below them. Default: where the relay was started, and the home folder. */
  readonly roots: ReadonlyArray<string>
  /** Where relative folders start. Default: where the relay was started. */
  readonly start_folder?: string
  /** Variables a handshake's `env` may set though they change what is loaded or where secrets go. */
  readonly allow_env: ReadonlyArray<string>
  /**
   * Programs a session may run on a terminal, also by their name as `tool`; `*` is any. Default none: `generic` runs any
   * `command`, but no `tool` is taken for a program.
   */
  readonly allow_programs: ReadonlyArray<string>
  /** Hosts outside of snowflakecomputing.com that may be sent a token, such as `proxy.example.com:8443`. */
  readonly cortex_hosts: ReadonlyArray<string>
  /** Variables besides SNOWFLAKE_PAT that a handshake may name as its `snowflake.token_env`. */
  readonly cortex_token_env: ReadonlyArray<string>
  /** Agents that may be used, by their `tool`; `generic` stands for every program on a terminal. Default: all. */
  readonly tools: ReadonlyArray<string>
  /** A handshake may not give the agent's program arguments (`extra_args`, Codex' `config`). */
  readonly no_extra_args: boolean
  /** A handshake may not name a program (`command` of `generic` and `acp`); those of `allow_programs` may be used. */
  readonly no_command: boolean
  /** Requests of the agents' own protocols pass, whatever they do; default: only those an adapter lists as harmless. */
  readonly allow_native_requests: boolean
  /**
   * Permission modes a session may be in, by any of their names; empty: all. For Codex also the ceiling of `sandbox` and
   * `approval_policy`.
   */
  readonly permission_modes: ReadonlyArray<string>
  /** Variables of the relay that every agent gets too; `NAME*` for all that begin so, `*` for all. */
  readonly pass_env: ReadonlyArray<string>
  /** Every agent is started in a sandbox (Linux, bubblewrap), or the relay does not start. */
  readonly sandbox: boolean
  /** Folders agents may also read, and also write, in it. */
  readonly sandbox_read: ReadonlyArray<string>
  readonly sandbox_write: ReadonlyArray<string>
  /** Files and folders of the relay's that are out of an agent's sight in it, besides the state folder. */
  readonly private_files: ReadonlyArray<string>
  /** How long a permission waits for a person. */
  readonly permission_timeout: number
  /** How long an agent may take to stop a turn before it is ended. */
  readonly interrupt_timeout: number
  /** How long a session named by its client lives on without one, once nothing goes on in it. */
  readonly linger: number
  /** The longest a client may ask for with `linger`; more is taken as this. */
  readonly max_linger: number
  /** Who may give a session commands: all of its clients, or one at a time, the others watch. */
  readonly drivers: "many" | "one"
  /** How long, in seconds, the driver is asked before somebody else takes over. */
  readonly take_over_timeout: number
  /** Live sessions, each with a process of its own. */
  readonly max_sessions: number
  /** Live sessions that one sender has begun: an address, or a token's name. This machine's own are not counted. */
  readonly max_sessions_per_sender: number
  /** Prompts that may wait behind a running turn. */
  readonly max_queued: number
  /** Bytes of the prompts that wait behind a running turn, and of the commands in a session's inbox, each. */
  readonly max_queued_bytes: number
  /** Bytes of events kept in memory per session, when they are not kept on disk. */
  readonly retain_bytes: number
  /** Where sessions are kept; without it they end with the relay. */
  readonly state_dir?: string
  /** Bytes of events kept on disk per session; the oldest go first. */
  readonly journal_bytes: number
  /** Bytes kept on disk of all sessions; those that were used least recently go first, live ones share what there is. */
  readonly journal_total_bytes: number
  /** Sessions kept; those that were used least recently go first. */
  readonly max_kept_sessions: number
  /** Events kept on disk per session, about. */
  readonly journal_events: number
  /** Days after which a session nobody has used is forgotten. */
  readonly journal_days: number
  /** The conversations people had with agents in a terminal are neither listed nor shown nor followed. */
  readonly no_native_sessions: boolean
  /** No states of sessions' folders are kept before turns, so their files cannot be set back. */
  readonly no_checkpoints: boolean
  /** Write every session's transcript into this folder, secrets redacted. */
  readonly record?: string
  /** Agents of the operator's that speak the Agent Client Protocol, beside those the relay knows. */
  readonly acp_agents: ReadonlyArray<OwnAgent>
  /** Who is called when nobody looks: webhooks (`https://…`) and topics of ntfy (`ntfy:https://ntfy.sh/TOPIC`). */
  readonly notify: ReadonlyArray<string>
  /** Where people reach the relay's page, such as `https://relay.example`: notifications link to it. */
  readonly notify_link?: string | undefined
  /**
   * Origins of push services that may be at a private address, or without TLS, such as `http://127.0.0.1:9000`; public ones
   * need none.
   */
  readonly allow_push_service: ReadonlyArray<string>
  /** The operator's rules on what agents may do unasked, and what not at all. */
  readonly policy?: PolicyFile
  /** Caps on what sessions use, such as `{ scope: "day", unit: "cost_usd", cap: 20 }`. Default: none. */
  readonly budgets: ReadonlyArray<Rule>
  /** What happens when a cap is reached: ask a person, stop the turn, or end the session. */
  readonly budget_at_cap: AtCap
  /** From how many per cent of a cap on clients are warned. */
  readonly budget_warn_pct: number
  /** The zone whose midnight ends a budget's day, such as `Europe/Berlin`. Default: the machine's. */
  readonly budget_time_zone?: string | undefined
  /** What tokens cost, for agents that do not tell. */
  readonly prices: Prices
  /** Values that are kept out of transcripts, such as the relay's own token. */
  readonly secrets?: ReadonlyArray<Redacted.Redacted>
  /** Make spans of every session, with the Effect tracer that is there. */
  readonly trace: boolean
}

/** Where a service is started in `/`, that is no choice to work everywhere: who wants it writes it down. */
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
