/**
 * agents: the real CLIs, each in a temporary home of its own and with the scripted model as its API.
 *
 * `agentEnv` writes the files a CLI wants under `home` and returns its whole environment: nothing else of the machine's
 * environment reaches it, no key, no proxy, no login of the person who runs the tests.
 */

import { accessSync, constants, mkdirSync, writeFileSync } from "node:fs"
import { delimiter, dirname, join } from "node:path"
import type { ModelApi } from "./modelApi/ModelApi.js"

export type AgentName = "claude" | "codex" | "gemini" | "claude-agent-acp"

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
  return { CODEX_HOME, SCRIPTED_API_KEY: "sk-scripted" }
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

const environments: Readonly<Record<AgentName, (options: Options) => Environment>> = {
  claude: claudeEnv,
  codex: codexEnv,
  gemini: geminiEnv,
  "claude-agent-acp": claudeEnv
}

export const agentEnv = (agent: AgentName, options: Options): Environment => ({
  PATH: process.env.PATH ?? "",
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

/** Why this agent's tests cannot run here; undefined if they can. */
export const whyNotInstalled = (agent: AgentName): string | undefined => {
  const reason = skipped().get(agent)
  if (reason !== undefined) return `AI_RELAY_SKIP_AGENTS: ${reason}`
  const folders = (process.env.PATH ?? "").split(delimiter)
  return folders.some((folder) => isExecutable(join(folder, agent))) ? undefined : `${agent} is not on PATH`
}

export const agentInstalled = (agent: AgentName): boolean => whyNotInstalled(agent) === undefined
