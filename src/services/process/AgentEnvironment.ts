/**
 * AgentEnvironment: an agent's environment variables, and which of them a client may set.
 *
 * Whatever an agent gets, every tool it runs gets too. So it inherits only variables that any program needs, that its own
 * program needs, or that the operator lists, and never the relay's settings, which include tokens. A client may set the
 * variables that `settableBy` lists for its agent, and those the operator allows. Only this file reads the relay's environment.
 */
import { Effect } from "effect"
import type { LaunchSpec } from "../../adapters/Adapter.js"
import { BadHandshake } from "../../adapters/AdapterError.js"
import { settableBy } from "../../adapters/agents.js"
import { markerVariable } from "./ProcessTree.js"

export type Environment = Readonly<Record<string, string>>

/** The relay's own environment at the moment. */
export const relayEnvironment = (): Environment =>
  // A variable that is not set has no entry, whatever the type says.
  ({ ...process.env }) as Environment

/**
 * An agent's environment: variables inherited from the relay, then those of the client, then those of the adapter, then the
 * marker; later ones win. `passed` names more variables to inherit.
 */
export const agentEnvironment = (
  own: Environment,
  { clientEnv, defaults, env, inherits = [] }: Pick<
    LaunchSpec,
    "clientEnv" | "defaults" | "env" | "inherits"
  >,
  marker: string,
  passed: ReadonlyArray<string> = []
): Environment => {
  const isInherited = matcherOf([...alwaysInherited, ...inherits, ...passed])
  return {
    ...defaults,
    ...Object.fromEntries(Object.entries(own).filter(([name]) => isInherited(name) && !isPrivate(name))),
    ...clientEnv,
    ...env,
    [markerVariable]: marker
  }
}

/**
 * Refuses a handshake's `env` that sets forbidden variables. `allowed`: what the operator listed, as names or patterns such as
 * `MY_*`. Nobody may set the relay's own variables.
 */
export const checkClientEnv = (
  env: Environment,
  allowed: ReadonlyArray<string>,
  tool = ""
): Effect.Effect<void, BadHandshake> => {
  const [isSettable, isAllowed] = [matcherOf(settableBy(tool)), matcherOf(allowed)]
  const isRefused = (name: string, value: string) =>
    isOwn(name) || !(isAllowed(name) || (isSettable(name) && !isOddPlace(name, value)))
  const reason = Object.entries(env)
    .map(([name, value]) => whyRefused(name, value, isRefused))
    .find((refused) => refused !== undefined)
  return reason === undefined ? Effect.void : new BadHandshake({ reason })
}

const isOwn = (name: string): boolean => /^AI_RELAY_/i.test(name)

/** The relay's own settings, and variables that would tell an agent that it runs inside another one. */
const isPrivate = (name: string): boolean => name.startsWith("AI_RELAY_") || isNestingMark(name)

/**
 * What an agent sets for the programs its tools start, the relay among them: an interactive Claude Code that finds
 * CLAUDE_CODE_CHILD_SESSION saves nothing (anthropics/claude-code#80654), others take their parent's session, socket or
 * sandbox for their own.
 */
const isNestingMark = (name: string): boolean =>
  /^CLAUDE_CODE_(?:CHILD_SESSION|SESSION_\w+|PARENT_\w+|MESSAGING_\w+|ENTRYPOINT|EXECPATH|SSE_PORT|AGENT_ID|TASK_ID)$/
    .test(name)
  || /^(?:CLAUDECODE|CLAUDE_(?:PID|JOB_DIR|PROJECT_DIR|PLUGIN_ROOT|PLUGIN_DATA|ENV_FILE|EFFORT|SESSION_ID))$/
    .test(name)
  || /^(?:CODEX_(?:THREAD_ID|SANDBOX\w*|CI|MANAGED_\w+|INTERNAL_\w+)|GEMINI_CLI|GEMINI_CLI_NO_RELAUNCH|QWEN_CODE|OPENCODE|OPENCODE_PID|OPENCODE_CLIENT|OPENCODE_CALLER|AGENT|AI_AGENT)$/
    .test(name)

/** Tells whether a name matches one of these; `*` matches anything. */
const matcherOf = (patterns: ReadonlyArray<string>): (name: string) => boolean => {
  const sources = patterns.map((pattern) =>
    pattern.split("*").map((part) => part.replaceAll(/[^\w]/g, "\\$&")).join(".*")
  )
  const any = new RegExp(`^(?:${sources.join("|")})$`)
  return (name) => any.test(name)
}

/** Variables that any program may need: for files, language, network, and development tools. */
const alwaysInherited: ReadonlyArray<string> = [
  ..."PATH HOME USER LOGNAME SHELL LANG LANGUAGE LC_* TZ TMPDIR TMP TEMP XDG_* HOSTNAME CI".split(" "),
  ..."TERM TERM_PROGRAM* COLORTERM NO_COLOR FORCE_COLOR DISPLAY WAYLAND_DISPLAY XAUTHORITY WSL* WSLENV".split(
    " "
  ),
  ..."DBUS_SESSION_BUS_ADDRESS SSH_AUTH_SOCK SSH_AGENT_PID GNUPGHOME GPG_TTY".split(" "),
  ..."HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY http_proxy https_proxy all_proxy no_proxy".split(" "),
  ..."SSL_CERT_FILE SSL_CERT_DIR NODE_EXTRA_CA_CERTS REQUESTS_CA_BUNDLE CURL_CA_BUNDLE GIT_SSL_CAINFO".split(
    " "
  ),
  ..."EDITOR VISUAL PAGER GIT_AUTHOR_* GIT_COMMITTER_* GIT_CONFIG_* GIT_SSH* GIT_EDITOR GIT_TERMINAL_PROMPT"
    .split(
      " "
    ),
  ..."LD_LIBRARY_PATH LIBRARY_PATH DYLD_* PKG_CONFIG_PATH MANPATH INFOPATH NIX_* LOCALE_ARCHIVE".split(" "),
  ..."NODE_OPTIONS NODE_PATH NODE_ENV NVM_* FNM_* VOLTA_HOME PNPM_HOME BUN_INSTALL DENO_DIR COREPACK_HOME"
    .split(" "),
  ..."PYTHONPATH PYTHONHOME PYENV_ROOT VIRTUAL_ENV CONDA_PREFIX CONDA_DEFAULT_ENV CONDA_EXE POETRY_HOME"
    .split(" "),
  ..."GOPATH GOROOT GOBIN GOFLAGS GOPROXY GOCACHE GOMODCACHE CARGO_HOME RUSTUP_HOME RUSTUP_TOOLCHAIN".split(
    " "
  ),
  ..."JAVA_HOME M2_HOME MAVEN_HOME GRADLE_HOME GRADLE_USER_HOME SDKMAN_DIR ANDROID_HOME ANDROID_SDK_ROOT"
    .split(" "),
  ..."RBENV_ROOT GEM_HOME GEM_PATH DOTNET_ROOT ASDF_DIR ASDF_DATA_DIR MISE_DATA_DIR HOMEBREW_PREFIX".split(
    " "
  )
]

const whyImpossible = (name: string, value: string): string | undefined =>
  !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)
    ? `env: ${JSON.stringify(name.slice(0, 80))} is not a name a variable can have: use letters, digits and _`
    : value.includes("\0")
    ? `env: the value of ${name} contains a NUL character: remove it`
    : undefined

/** Whether a region or project is unsafe: it becomes part of an address, and a dot or slash could send keys elsewhere. */
const isOddPlace = (name: string, value: string): boolean =>
  /REGION|LOCATION|PROJECT/.test(name) && !/^[A-Za-z0-9_-]*$/.test(value)

const whyRefused = (
  name: string,
  value: string,
  isRefused: (name: string, value: string) => boolean
): string | undefined =>
  whyImpossible(name, value)
    ?? (!isRefused(name, value)
      ? undefined
      : isOddPlace(name, value)
      ? `env: ${name} must be letters, digits, _ and -: it becomes part of an address`
      : `env: a client may not set ${name}: leave it out, or start the relay with --allow-env ${name}`)
