/**
 * AgentDescriptor: everything the relay knows about one agent before a session is opened. Each agent's folder
 * exports one and `agents.ts` lists them. The registry, `doctor`, the environment rules, the sandbox, the
 * readers of past conversations and the page labels are derived from that list.
 *
 * The list is read at every start, so it holds no code that an idle relay does not need: `adapter` and
 * `conversations` load it.
 */
import { Context, type FileSystem, type Layer, type Path } from "effect"
import type { HttpClient } from "effect/http"
import type { Adapter, Credentials, ProcessSpawner, TerminalSpawner } from "./Adapter.js"
import type { NativeFiles } from "./native/NativeFiles.js"
import type { NativeStore } from "./native/NativeStore.js"
import type { TranscriptFile } from "./replay/TranscriptFile.js"

/** Signs of a login; the first one found is enough. */
export interface LoginSigns {
  /** Relay variables that hold a key. */
  readonly variables?: ReadonlyArray<string>
  /** Files in the home folder, or in the folder this variable names. */
  readonly files?: { readonly home?: string; readonly paths: ReadonlyArray<string> }
  /** Arguments with which the program exits with 0 if it is logged in. */
  readonly args?: ReadonlyArray<string>
}

/** Operator settings that adapters need. */
export interface AdapterSettings {
  /** `host` or `host:port` outside snowflakecomputing.com that may receive a token. */
  readonly cortex_hosts: ReadonlyArray<string>
  /** Variables that may hold a token for Cortex, besides `SNOWFLAKE_PAT`. */
  readonly cortex_token_env: ReadonlyArray<string>
  /** Programs that terminals may run; see GenericLaunch. */
  readonly allow_programs: ReadonlyArray<string>
}

/** Relay services an adapter may use. */
export type AdapterPorts =
  | Credentials
  | FileSystem.FileSystem
  | HttpClient.HttpClient
  | Path.Path
  | ProcessSpawner
  | TerminalSpawner
  | TranscriptFile

/** Exports of an adapter module. */
export interface AdapterModule {
  readonly layer: (settings: AdapterSettings) => AdapterLayer
}

/** What builds one adapter. */
export type AdapterLayer = Layer.Layer<AgentAdapter, never, AdapterPorts>

/** The adapter of one agent, as built by its module's `layer`. */
export class AgentAdapter
  extends Context.Service<AgentAdapter, Adapter>()("ai-relay/adapters/AgentAdapter")
{}

/** What is known about an agent without loading its code. Variables may contain `*`, which matches anything. */
export interface AgentFacts {
  /** Its name in the handshake. */
  readonly tool: string
  /** Further names. */
  readonly aliases?: ReadonlyArray<string>
  /** Its display name. */
  readonly name: string
  /** Its name on pages, if different. */
  readonly label?: string
  /** Its program; absent if it is reached over the network or needs none. */
  readonly command?: string
  /** What to run if the program is missing; empty if there is none. */
  readonly install: string
  /** What to run if a login is missing; empty if none is needed. */
  readonly login: string
  /** Absent: the login cannot be checked before a session is opened. */
  readonly signs?: LoginSigns
  /** Relay variables its program needs besides those every program gets. */
  readonly inherits?: ReadonlyArray<string>
  /** Variables a handshake's `env` may set for it, besides those any agent may have; see variables.ts. */
  readonly settable?: ReadonlyArray<string>
  /** Variables its adapter may read through the port `Credentials`. */
  readonly credentials?: (settings: AdapterSettings) => ReadonlyArray<string>
  /**
   * Folders and files its program must be able to write in a sandbox besides the session's folder: its
   * settings, login and conversations. `~` is the home folder, `$NAME` a variable's value.
   */
  readonly writable?: ReadonlyArray<string>
  /**
   * The provider of its models, as named by OpenTelemetry's conventions; if OpenTelemetry has no name, the
   * `tool`.
   */
  readonly provider?: string
  /** Permission modes it accepts at start, offered before there is a session. */
  readonly start_modes?: ReadonlyArray<string>
  /** It runs tool input edited by a person; other agents deny the call instead. */
  readonly edits_input?: true
  /** It works on the files in its folder. */
  readonly works_on_files?: true
  /** Its sessions are terminals. */
  readonly terminal?: true
  /** Its past conversations on disk, read-only. */
  readonly store?: () => Promise<{ readonly makeStore: (files: NativeFiles) => NativeStore }>
}

export interface AgentDescriptor extends AgentFacts {
  /** Its adapter, loaded when first needed by a session. */
  readonly adapter: () => Promise<AdapterModule>
  /** For an unknown `tool`: whether this agent opens it as a program of that name. */
  readonly opens?: (tool: string, settings: AdapterSettings) => boolean
}

/** An agent with a program of its own and all facts known. */
export interface ProgramDescriptor extends AgentDescriptor {
  readonly command: string
  readonly inherits: ReadonlyArray<string>
  readonly settable: ReadonlyArray<string>
  readonly writable: ReadonlyArray<string>
  readonly provider: string
}
