/**
 * AgentDescriptor: all the relay knows of one agent before a session is opened. Each folder of an agent exports one;
 * `agents.ts` lists them, and the registry, `doctor`, the rules for the environment, the sandbox, the readers of past
 * conversations and the pages' labels are made of that list.
 *
 * It is read at every start, so it holds no code that an idle relay does not need: `adapter` and `conversations` load it.
 */
import { Context, type FileSystem, type Layer, type Path } from "effect"
import type { HttpClient } from "effect/http"
import type { Adapter, Credentials, ProcessSpawner, TerminalSpawner } from "./Adapter.js"
import type { NativeFiles } from "./native/NativeFiles.js"
import type { NativeStore } from "./native/NativeStore.js"
import type { TranscriptFile } from "./replay/TranscriptFile.js"

/** Signs of a login; the first that is found is enough. */
export interface LoginSigns {
  /** Variables of the relay that hold a key. */
  readonly variables?: ReadonlyArray<string>
  /** Files in the home folder, or in the folder this variable names. */
  readonly files?: { readonly home?: string; readonly paths: ReadonlyArray<string> }
  /** Arguments with which the program exits with 0 if it is logged in. */
  readonly args?: ReadonlyArray<string>
}

/** What the operator decides and an adapter must know. */
export interface AdapterSettings {
  /** `host` or `host:port` outside of snowflakecomputing.com that may be sent a token. */
  readonly cortex_hosts: ReadonlyArray<string>
  /** Variables that may hold a token for Cortex, besides `SNOWFLAKE_PAT`. */
  readonly cortex_token_env: ReadonlyArray<string>
  /** Programs that terminals may run; see GenericLaunch. */
  readonly allow_programs: ReadonlyArray<string>
}

/** What an adapter may use of the relay. */
export type AdapterPorts =
  | Credentials
  | FileSystem.FileSystem
  | HttpClient.HttpClient
  | Path.Path
  | ProcessSpawner
  | TerminalSpawner
  | TranscriptFile

/** What a module with an adapter exports. */
export interface AdapterModule {
  readonly layer: (settings: AdapterSettings) => Layer.Layer<AgentAdapter, never, AdapterPorts>
}

/** The adapter of one agent, as the `layer` of its module builds it. */
export class AgentAdapter
  extends Context.Service<AgentAdapter, Adapter>()("ai-relay/adapters/AgentAdapter")
{}

/** What is known of an agent without its code. Variables may hold `*`, which stands for anything. */
export interface AgentFacts {
  /** Its name in the handshake. */
  readonly tool: string
  /** Further names of it. */
  readonly aliases?: ReadonlyArray<string>
  /** Its name for people. */
  readonly name: string
  /** Its name on pages, where that is another. */
  readonly label?: string
  /** Its program; what has none is reached over the network, or needs none. */
  readonly command?: string
  /** What to run when the program is missing; empty if there is none. */
  readonly install: string
  /** What to run when a login is missing; empty if none is needed. */
  readonly login: string
  /** Absent: nobody can tell before a session is opened. */
  readonly signs?: LoginSigns
  /** Variables of the relay its program needs, besides those every program is given. */
  readonly inherits?: ReadonlyArray<string>
  /** Variables a handshake's `env` may set for it, besides those any agent may have; see variables.ts. */
  readonly settable?: ReadonlyArray<string>
  /** Variables its adapter may read through the port `Credentials`. */
  readonly credentials?: (settings: AdapterSettings) => ReadonlyArray<string>
  /**
   * The folders and files its program must be able to write in a sandbox, besides the session's folder: its settings, its
   * login, its conversations. `~` is the home folder, `$NAME` a variable's value.
   */
  readonly writable?: ReadonlyArray<string>
  /** Who serves its models, in the words of OpenTelemetry's conventions; absent: they have none, so its `tool`. */
  readonly provider?: string
  /** The permission modes it takes when it starts, to be offered before there is a session. */
  readonly start_modes?: ReadonlyArray<string>
  /** It runs what a person has made of a tool's input; the others deny the call then. */
  readonly edits_input?: true
  /** It works on the files of its folder. */
  readonly works_on_files?: true
  /** Its sessions are terminals. */
  readonly terminal?: true
  /** Its past conversations on disk, read only. */
  readonly store?: () => Promise<{ readonly makeStore: (files: NativeFiles) => NativeStore }>
}

export interface AgentDescriptor extends AgentFacts {
  /** Its adapter, loaded when a session first wants it. */
  readonly adapter: () => Promise<AdapterModule>
  /** For a `tool` nobody is named after: whether it opens that, too, as a program of this name. */
  readonly opens?: (tool: string, settings: AdapterSettings) => boolean
}

/** An agent with a program of its own, of which all is known. */
export interface ProgramDescriptor extends AgentDescriptor {
  readonly command: string
  readonly inherits: ReadonlyArray<string>
  readonly settable: ReadonlyArray<string>
  readonly writable: ReadonlyArray<string>
  readonly provider: string
}
