/**
 * AgentEnvironment: the variables an agent is started with, and which of them a client may set.
 *
 * Whatever an agent gets, every tool it runs gets too: so the relay's own settings (tokens among them) stay out. A
 * client may set variables, but none that would load foreign code or send secrets elsewhere, unless the operator
 * allows it by name. This is the only place that reads the environment the relay was started with.
 */
import { Effect } from "effect"
import type { LaunchSpec } from "../adapters/Adapter.js"
import { BadHandshake } from "../adapters/AdapterError.js"
import { markerVariable } from "./ProcessTree.js"

export type Environment = Readonly<Record<string, string>>

/** The relay's own environment, as it is now. */
export const relayEnvironment = (): Environment =>
  // A variable that is not set has no entry, whatever the type says.
  ({ ...process.env }) as Environment

/** An agent's environment: the relay's, then what the client wants, then what its adapter needs, then the marker. */
export const agentEnvironment = (
  own: Environment,
  { clientEnv, env }: Pick<LaunchSpec, "clientEnv" | "env">,
  marker: string
): Environment => ({
  ...Object.fromEntries(Object.entries(own).filter(([name]) => isPassedOn(name))),
  ...clientEnv,
  ...env,
  [markerVariable]: marker
})

/** Refuse an `env` of a handshake that sets what it may not. `allowed` holds the names the operator listed. */
export const checkClientEnv = (
  env: Environment,
  allowed: ReadonlyArray<string>
): Effect.Effect<void, BadHandshake> => {
  const reason = Object.entries(env)
    .map(([name, value]) => allowed.includes(name) ? whyImpossible(name, value) : whyRefused(name, value))
    .find((refused) => refused !== undefined)
  return reason === undefined ? Effect.void : new BadHandshake({ reason })
}

/** The relay's own settings; and what would tell an agent that it runs inside of another one. */
const isPassedOn = (name: string): boolean =>
  !name.startsWith("AI_RELAY_") && name !== "CLAUDECODE" && name !== "CLAUDE_CODE_ENTRYPOINT"

const whyImpossible = (name: string, value: string): string | undefined =>
  !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)
    ? `env: ${JSON.stringify(name.slice(0, 80))} is not a name a variable can have: use letters, digits and _`
    : value.includes("\0")
    ? `env: the value of ${name} holds a NUL character: remove it`
    : undefined

const whyRefused = (name: string, value: string): string | undefined =>
  whyImpossible(name, value)
    ?? (dangerous.some((pattern) => pattern.test(name))
      ? `env: a client may not set ${name}: leave it out, or start the relay with --allow-env ${name}`
      : undefined)

const dangerous: ReadonlyArray<RegExp> = [
  // Where programs, their settings and their logins are looked for.
  /^(PATH|HOME|SHELL|CDPATH|XDG_.*|ZDOTDIR|CLAUDE_CONFIG_DIR|CODEX_HOME|GEMINI_CLI_.*|KUBECONFIG|DOCKER_.*)$/i,
  /^(AI_RELAY_.*|CLAUDECODE|CLAUDE_CODE_ENTRYPOINT|CARGO_HOME|RUSTUP_HOME|NPM_CONFIG_.*)$/i,
  /^AWS_(CONFIG_FILE|SHARED_CREDENTIALS_FILE)$/i,
  // What shells read or run by themselves.
  /^(ENV|BASH_ENV|BASHOPTS|SHELLOPTS|PROMPT_COMMAND|PS[0-4]|IFS|CLAUDE_ENV_FILE|CLAUDE_CODE_SHELL.*)$/i,
  // What programs load before their own code.
  /^(LD_.*|DYLD_.*|GCONV_PATH|GLIBC_TUNABLES|LOCPATH|NLSPATH|OPENSSL_(CONF|ENGINES|MODULES))$/i,
  /^NODE_(OPTIONS|PATH|REPL_EXTERNAL_MODULE)$/i,
  /^PYTHON(PATH|HOME|STARTUP|INSPECT|BREAKPOINT|WARNINGS|USERBASE|EXECUTABLE|PLATLIBDIR|PYCACHEPREFIX)$/i,
  /^(PERL5?(LIB|OPT|DB)|RUBY(LIB|OPT)|GEM_(HOME|PATH)|BUNDLE_.*|LUA_(PATH|CPATH|INIT).*|PHPRC|PHP_INI_SCAN_DIR)$/i,
  /^(JAVA_TOOL_OPTIONS|_JAVA_OPTIONS|JDK_JAVA_OPTIONS|CLASSPATH|MAVEN_OPTS|GRADLE_OPTS|CORECLR_.*|DOTNET_.*)$/i,
  // What programs run on the side.
  /^GIT_(SSH.*|EXEC_PATH|CONFIG.*|DIR|COMMON_DIR|TEMPLATE_DIR|EXTERNAL_DIFF|PROXY_COMMAND|.*EDITOR|PAGER)$/i,
  /^(EDITOR|VISUAL|PAGER|MANPAGER|BROWSER|LESSOPEN|LESSCLOSE|MAKEFLAGS|GOFLAGS|.*_ASKPASS|.*_WRAPPER)$/i,
  // Where requests and the keys in them go, and who is believed there.
  /_(BASE_?URL|API_BASE|ENDPOINT|ENDPOINT_URL.*|PROXY)$/i,
  /^(NODE_EXTRA_CA_CERTS|NODE_TLS_REJECT_UNAUTHORIZED|SSL_CERT_(FILE|DIR)|SSLKEYLOGFILE|.*_CA_BUNDLE)$/i,
  /^(SSH_AUTH_SOCK|HOSTALIASES|LOCALDOMAIN|RES_OPTIONS)$/i
]
