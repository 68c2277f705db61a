/** ClaudeLaunch: the command line of Claude Code. */
import { Effect } from "effect"
import type { AgentSpec, LaunchSpec } from "../Adapter.js"
import { BadHandshake } from "../AdapterError.js"
import { claude } from "./descriptor.js"

export const permissionModes = [
  "default",
  "acceptEdits",
  "plan",
  "auto",
  "dontAsk",
  "bypassPermissions"
] as const

/** Modes the operator allows. */
export const modesOf = ({ allowed_modes }: Pick<AgentSpec, "allowed_modes">): ReadonlyArray<string> =>
  permissionModes.filter((mode) => allowed_modes === undefined || allowed_modes.includes(mode))

const streaming = [
  "--print",
  "--input-format",
  "stream-json",
  "--output-format",
  "stream-json",
  "--verbose",
  "--replay-user-messages",
  "--permission-prompt-tool",
  "stdio",
  "--include-partial-messages"
]

/** Flags that choose the conversation; with one of them the relay does not assign a new id. */
const namesConversation = /^(?:--session-id|--resume|--continue|--fork-session|--from-pr|-r|-c)(?:=|$)/

/** Flags that resume a past conversation. */
const continues = /^(?:--resume|--continue|--from-pr|-r|-c)(?:=|$)/

/** Flags that decide what Claude may do without asking. */
const namesMode =
  /^(?:--permission-mode|--dangerously-skip-permissions|--allow-dangerously-skip-permissions)(?:=|$)/

export interface Launch {
  readonly spec: LaunchSpec
  /** A past conversation is resumed. */
  readonly resumes: boolean
  /** The mode it starts in, if known. */
  readonly permission_mode: string | undefined
  /** The conversation's id, if known before Claude's first message. */
  readonly native_session_id: string | undefined
}

export const toLaunch = Effect.fnUntraced(function*(spec: AgentSpec) {
  const { extra_args = [], model, native_session_id } = spec
  const modes = modesOf(spec)
  if (spec.permission_mode !== undefined && !modes.includes(spec.permission_mode)) {
    return yield* new BadHandshake({ reason: `\`permission_mode\` must be one of ${modes.join(", ")}` })
  }
  const named = extra_args.some((arg) => namesConversation.test(arg))
  // Otherwise the user's or the folder's own settings decide, and they may allow everything without asking.
  const isNamed = spec.allowed_modes === undefined && extra_args.some((arg) => namesMode.test(arg))
  const usual = isNamed ? undefined : modes.includes("default") ? "default" : modes[0] ?? "default"
  const mode = spec.permission_mode ?? usual
  const conversation = native_session_id !== undefined
    // One argument: as two, an id that looks like a flag would be parsed as one.
    ? [
      `--resume=${native_session_id}`,
      ...spec.fork === true ? ["--fork-session", "--session-id", spec.fresh_uuid] : [],
      ...spec.fork === true && spec.fork_at !== undefined ? [`--resume-session-at=${spec.fork_at}`] : []
    ]
    : named
    ? []
    : ["--session-id", spec.fresh_uuid]
  const launch: Launch = {
    resumes: native_session_id !== undefined || extra_args.some((arg) => continues.test(arg)),
    permission_mode: mode,
    native_session_id: (spec.fork === true ? undefined : native_session_id)
      ?? (named ? undefined : spec.fresh_uuid),
    spec: {
      tool: claude.name,
      command: claude.command,
      args: [
        ...streaming,
        ...conversation,
        ...model === undefined ? [] : ["--model", model],
        ...mode === undefined ? [] : ["--permission-mode", mode],
        ...extra_args
      ],
      cwd: spec.folder,
      inherits: claude.inherits,
      writable: claude.writable,
      clientEnv: spec.env,
      advice: claude.install,
      // SIGTERM would leave running tool shells behind.
      stopSignal: "SIGINT"
    }
  }
  return launch
})
