/**
 * agents: the real CLIs, each in a temporary home of its own and with the scripted model as its API.
 *
 * `agentEnv` writes the files a CLI wants under `home` and returns its whole environment: nothing else of the machine's
 * environment reaches it, no key, no proxy, no login of the person who runs the tests.
 */

import { accessSync, constants, mkdirSync, writeFileSync } from "node:fs"
import { delimiter, dirname, join } from "node:path"
import type { ModelApi } from "./modelApi/ModelApi.js"

export type AgentName =
  | "claude"
  | "codex"
  | "gemini"
  | "claude-agent-acp"
  | "codex-acp"
  | "opencode"
  | "qwen"
  | "pi"
  | "kimi"
  | "copilot"

interface Options {
  readonly home: string
  readonly api: Pick<ModelApi, "url">
}

type Environment = Readonly<Record<string, string>>

const write = (path: string, content: string) => {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, content)
}

const claudeEnv = ({ api, home }: Options): Environment => ({
  ANTHROPIC_BASE_URL: api.url,
  ANTHROPIC_API_KEY: "sk-scripted",
  CLAUDE_CONFIG_DIR: join(home, ".claude"),
  CLAUDE_CODE_MAX_RETRIES: "1",
  CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
  DISABLE_AUTOUPDATER: "1"
})

// gpt-5.5 is a model Codex knows, so that it offers apply_patch and says no word about missing metadata.
const codexConfig = (url: string) => `
model = "gpt-5.5"
model_provider = "scripted"
check_for_update_on_startup = false

[model_providers.scripted]
name = "Scripted"
base_url = "${url}/v1"
env_key = "SCRIPTED_API_KEY"
wire_api = "responses"
request_max_retries = 1
stream_max_retries = 1

[analytics]
enabled = false

# Otherwise Codex asks github.com and chatgpt.com for plugins at every start.
[features]
plugins = false
apps = false
`

const codexEnv = ({ api, home }: Options): Environment => {
  const CODEX_HOME = join(home, ".codex")
  write(join(CODEX_HOME, "config.toml"), codexConfig(api.url))
  // Its sandbox needs helpers that it does not make in a home below the folder for temporary files.
  const TMPDIR = join(home, "tmp")
  mkdirSync(TMPDIR, { recursive: true })
  return { CODEX_HOME, TMPDIR, SCRIPTED_API_KEY: "sk-scripted" }
}

// With a model of its own choice ("auto") Gemini asks a router before each prompt. It tries a failing model ten times
// over minutes, whatever `general.maxAttempts` says; only a chain of its own can say "once".
const geminiModel = "gemini-3.8-flash"
const onlyOnce = [{
  model: geminiModel,
  isLastResort: true,
  maxAttempts: 1,
  actions: {},
  stateTransitions: {}
}]

const geminiSettings = {
  general: { enableAutoUpdate: false },
  model: { name: geminiModel },
  modelConfigs: { modelChains: { default: onlyOnce, preview: onlyOnce } },
  experimental: { dynamicModelConfiguration: true },
  privacy: { usageStatisticsEnabled: false },
  telemetry: { enabled: false }
}

const geminiEnv = ({ api, home }: Options): Environment => {
  write(join(home, ".gemini", "settings.json"), JSON.stringify(geminiSettings))
  return {
    GEMINI_CLI_HOME: home,
    GEMINI_CLI_NO_RELAUNCH: "true",
    GEMINI_API_KEY: "scripted",
    GOOGLE_GEMINI_BASE_URL: api.url
  }
}

const openaiUrl = ({ api }: Options) => `${api.url}/v1`
/** A model none of them knows, so that none treats it in a way of its own. */
const model = "scripted-1"

/** A login of Codex's own would be asked for, were it not for a provider that needs none. */
const codexAcpEnv = (options: Options): Environment => ({ ...codexEnv(options), NO_BROWSER: "1" })

const opencodeEnv = (options: Options): Environment => {
  const config = {
    autoupdate: false,
    share: "disabled",
    model: `scripted/${model}`,
    small_model: `scripted/${model}`,
    provider: {
      scripted: {
        npm: "@ai-sdk/openai-compatible",
        name: "Scripted",
        options: { baseURL: openaiUrl(options), apiKey: "sk-scripted" },
        models: {
          [model]: {
            name: "Scripted",
            reasoning: true,
            tool_call: true,
            limit: { context: 200_000, output: 8000 }
          }
        }
      }
    }
  }
  write(join(options.home, ".config/opencode/opencode.json"), JSON.stringify(config))
  return {
    OPENCODE_DISABLE_MODELS_FETCH: "1",
    OPENCODE_DISABLE_AUTOUPDATE: "1",
    OPENCODE_DISABLE_DEFAULT_PLUGINS: "1",
    OPENCODE_DISABLE_LSP_DOWNLOAD: "1"
  }
}

const qwenEnv = (options: Options): Environment => {
  const settings = {
    security: { auth: { selectedType: "openai" } },
    model: { name: model },
    general: { enableAutoUpdate: false, disableAutoUpdate: true },
    privacy: { usageStatisticsEnabled: false },
    telemetry: { enabled: false }
  }
  write(join(options.home, ".qwen/settings.json"), JSON.stringify(settings))
  return { OPENAI_API_KEY: "sk-scripted", OPENAI_BASE_URL: openaiUrl(options), OPENAI_MODEL: model }
}

const piEnv = (options: Options): Environment => {
  const agent = join(options.home, ".pi/agent")
  const scripted = {
    baseUrl: openaiUrl(options),
    apiKey: "sk-scripted",
    api: "openai-completions",
    models: [{ id: model, reasoning: true, contextWindow: 200_000, maxTokens: 8000 }]
  }
  write(join(agent, "models.json"), JSON.stringify({ providers: { scripted } }))
  write(
    join(agent, "settings.json"),
    JSON.stringify({ defaultProvider: "scripted", defaultModel: model, quietStartup: true })
  )
  return { PI_OFFLINE: "1", PI_SKIP_VERSION_CHECK: "1" }
}

const kimiEnv = (options: Options): Environment => ({
  KIMI_CODE_NO_AUTO_UPDATE: "1",
  KIMI_CODE_HOME: join(options.home, ".kimi-code"),
  KIMI_MODEL_NAME: model,
  KIMI_MODEL_API_KEY: "sk-scripted",
  KIMI_MODEL_BASE_URL: openaiUrl(options),
  KIMI_MODEL_PROVIDER_TYPE: "openai",
  KIMI_MODEL_MAX_CONTEXT_SIZE: "200000",
  KIMI_LOOP_MAX_ATTEMPTS_PER_STEP: "1"
})

const copilotEnv = (options: Options): Environment => ({
  COPILOT_OFFLINE: "true",
  COPILOT_AUTO_UPDATE: "false",
  COPILOT_MODEL: model,
  COPILOT_PROVIDER_BASE_URL: openaiUrl(options),
  COPILOT_PROVIDER_API_KEY: "sk-scripted"
})

const environments: Readonly<Record<AgentName, (options: Options) => Environment>> = {
  claude: claudeEnv,
  codex: codexEnv,
  gemini: geminiEnv,
  "claude-agent-acp": claudeEnv,
  "codex-acp": codexAcpEnv,
  opencode: opencodeEnv,
  qwen: qwenEnv,
  pi: piEnv,
  kimi: kimiEnv,
  copilot: copilotEnv
}

/** One version of an agent, as `scripts/installAgents.mjs` left it. */
export interface Installed {
  readonly agent: AgentName
  readonly version: string
  readonly rank: "newest" | "pinned" | "oldest"
  /** Only the scenarios that show most. */
  readonly core?: boolean
  /** Goes before PATH: where its program lies, and the Node for it. */
  readonly path?: string
  /** Why it is not installed. */
  readonly missing?: string
}

const given: ReadonlyArray<Installed> | undefined = process.env.AI_RELAY_AGENTS === undefined
  ? undefined
  : JSON.parse(process.env.AI_RELAY_AGENTS)

/** The versions of an agent to be tested, newest first; without `npm run test:agents` that on PATH. */
export const versionsOf = (agent: AgentName): ReadonlyArray<Installed> => {
  const found = given?.filter((installed) => installed.agent === agent)
    ?? [{ agent, version: "on PATH", rank: "newest", ...(isOnPath(agent) ? {} : { missing: "not on PATH" }) }]
  const reason = skipped().get(agent)
  return reason === undefined
    ? found
    : found.map((one) => ({ ...one, missing: `AI_RELAY_SKIP_AGENTS: ${reason}` }))
}

const newestOf = (agent: AgentName) => versionsOf(agent).find(({ rank }) => rank === "newest")

export const agentEnv = (
  agent: AgentName,
  options: Options,
  { path = "" }: Partial<Installed> = newestOf(agent) ?? {}
): Environment => ({
  PATH: [path, process.env.PATH].filter(Boolean).join(delimiter),
  HOME: options.home,
  LANG: "C.UTF-8",
  TERM: "dumb",
  ...environments[agent](options)
})

const isExecutable = (path: string) => {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** `AI_RELAY_SKIP_AGENTS="codex: no sandbox here; gemini: too slow"` names agents to leave out, and why. */
const skipped = (): ReadonlyMap<string, string> =>
  new Map(
    (process.env.AI_RELAY_SKIP_AGENTS ?? "").split(";").map((entry) => {
      const [name = "", ...reason] = entry.split(":")
      return [name.trim(), reason.join(":").trim() || "no reason given"]
    })
  )

const isOnPath = (agent: AgentName): boolean =>
  (process.env.PATH ?? "").split(delimiter).some((folder) => isExecutable(join(folder, agent)))

/** Why the tests of its newest version cannot run here; undefined if they can. */
export const whyNotInstalled = (agent: AgentName): string | undefined => {
  const newest = newestOf(agent)
  return newest === undefined ? "its newest version was not asked for" : newest.missing
}

export const agentInstalled = (agent: AgentName): boolean => whyNotInstalled(agent) === undefined
