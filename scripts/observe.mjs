/**
 * observe: `npm run observe` looks what the newest agents bring that the relay does not know, and says it in words.
 *
 * It asks npm for the newest versions, installs them beside those that are tested, and compares: the first answers of
 * every agent of the Agent Client Protocol (modes, models, options, capabilities, login methods), Claude Code's help and
 * greeting, the schema Codex makes of its app-server, and the types of the Agent Client Protocol and of Claude's SDK. Then
 * the scenarios run with the newest versions (not with `--no-scenarios`). No model is asked and no login is needed.
 *
 * `--agents codex,gemini` looks at these alone; `--since oldest` (or `pinned`) compares with an earlier tested version
 * instead, to read what has changed since.
 *
 * Exit code 0 if nothing is new, 1 if something is, 2 if it could not look.
 */
import { spawn, spawnSync } from "node:child_process"
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { delimiter, join } from "node:path"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { agentVersions, ranks } from "./agentVersions.mjs"
import { installAgents, installPackage } from "./installAgents.mjs"

const root = fileURLToPath(new URL("..", import.meta.url))
const args = process.argv.slice(2)
const { env } = process

/** The word behind a flag. */
const valueOf = (flag) => args.includes(flag) ? args[args.indexOf(flag) + 1] : undefined
const chosen = valueOf("--agents")?.split(",") ?? Object.keys(agentVersions)
const since = valueOf("--since") ?? "newest"
const unknown = chosen.find((agent) => agentVersions[agent] === undefined)
if (unknown !== undefined || !ranks.includes(since)) {
  console.error(
    unknown === undefined
      ? `--since takes ${ranks.join(", ")}`
      : `there is no agent "${unknown}": ${Object.keys(agentVersions).join(", ")}`
  )
  process.exit(2)
}

const npmView = (name) => {
  const { status, stdout, stderr } = spawnSync("npm", ["view", name, "version", "--json"], {
    encoding: "utf8"
  })
  if (status !== 0) throw new Error(`npm does not tell the newest version of ${name}: ${stderr.trim()}`)
  return JSON.parse(stdout)
}

const readJson = (path) => {
  try {
    return JSON.parse(readFileSync(path, "utf8"))
  } catch {
    return undefined
  }
}

/** Everything below a value, one line a fact: "loadSession: true". */
const facts = (value, path = "") => {
  if (Array.isArray(value)) return value.flatMap((one) => facts(one, path))
  if (typeof value === "object" && value !== null) {
    return Object.entries(value).flatMap(([name, one]) => facts(one, path === "" ? name : `${path} ${name}`))
  }
  return value === undefined ? [] : [`${path}: ${value}`]
}

/** How an agent of the protocol is started; Gemini and the adapters are all of this kind. */
const acpCommands = {
  gemini: ["gemini", "--acp"],
  "claude-agent-acp": ["claude-agent-acp"],
  "codex-acp": ["codex-acp"],
  opencode: ["opencode", "acp"],
  qwen: ["qwen", "--acp"],
  pi: ["pi-acp"],
  kimi: ["kimi", "acp"],
  copilot: ["copilot", "--acp", "--stdio"]
}

/** An environment in which nobody is logged in; keys that are none let agents open a session all the same. */
const environmentOf = (home, path) => ({
  PATH: path + delimiter + env.PATH,
  HOME: home,
  LANG: "C.UTF-8",
  TERM: "dumb",
  NO_BROWSER: "1",
  ANTHROPIC_API_KEY: "none",
  GEMINI_API_KEY: "none",
  OPENAI_API_KEY: "none",
  OPENAI_BASE_URL: "http://127.0.0.1:9/v1",
  OPENAI_MODEL: "none",
  KIMI_MODEL_NAME: "none",
  KIMI_MODEL_API_KEY: "none",
  KIMI_MODEL_BASE_URL: "http://127.0.0.1:9/v1",
  KIMI_MODEL_PROVIDER_TYPE: "openai",
  KIMI_MODEL_MAX_CONTEXT_SIZE: "100000",
  COPILOT_OFFLINE: "true",
  COPILOT_MODEL: "none",
  COPILOT_PROVIDER_BASE_URL: "http://127.0.0.1:9/v1",
  OPENCODE_DISABLE_MODELS_FETCH: "1",
  GEMINI_CLI_NO_RELAUNCH: "true"
})

const patience = 60_000

/** What an ACP agent says of itself and of a new session. */
const acpFacts = (agent, path) =>
  new Promise((resolve) => {
    const home = mkdtempSync(join(tmpdir(), "ai-relay-observe-"))
    const [command, ...commandArgs] = acpCommands[agent]
    const child = spawn(command, commandArgs, {
      cwd: home,
      env: environmentOf(home, path),
      stdio: ["pipe", "pipe", "ignore"],
      detached: true
    })
    const answers = {}
    const finish = () => {
      clearTimeout(timer)
      try {
        process.kill(-child.pid, "SIGKILL")
      } catch {
        // It is gone already.
      }
      rmSync(home, { recursive: true, force: true, maxRetries: 5 })
      resolve(describeAcp(answers))
    }
    const timer = setTimeout(finish, patience)
    const send = (id, method, params) =>
      child.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", id, method, params })}\n`)
    child.on("error", finish)
    child.on("exit", finish)
    child.stdin.on("error", () => {})
    createInterface({ input: child.stdout }).on("line", (line) => {
      let message
      try {
        message = JSON.parse(line)
      } catch {
        return
      }
      if (message.method !== undefined) return
      answers[message.id] = message
      if (message.id === 0) send(1, "session/new", { cwd: home, mcpServers: [] })
      else finish()
    })
    send(0, "initialize", {
      protocolVersion: 1,
      clientInfo: { name: "ai-relay", version: "1.0.0" },
      clientCapabilities: {
        session: { compaction: {}, notices: {}, configOptions: { boolean: {} } },
        subagents: {},
        elicitation: { form: {}, url: {} }
      }
    })
  })

const describeAcp = ({ 0: hello, 1: opened }) => {
  const { agentCapabilities = {}, authMethods = [], protocolVersion } = hello?.result ?? {}
  const { configOptions = [], modes, models } = opened?.result ?? {}
  const flags = facts(agentCapabilities).map((fact) => `capability ${fact}`)
  const empty = Object.entries(agentCapabilities.sessionCapabilities ?? {}).map(([name]) =>
    `session capability ${name}`
  )
  return [
    `protocol version ${protocolVersion ?? "unknown: it did not answer"}`,
    ...flags,
    ...empty,
    ...authMethods.map(({ id }) => `login method ${id}`),
    ...(modes?.availableModes ?? []).map(({ id }) => `mode ${id}`),
    ...(modes === undefined ? [] : [`begins in the mode ${modes.currentModeId}`]),
    ...(models?.availableModels === undefined ? [] : ["a list of models"]),
    ...configOptions.map(({ category, id, type }) => `option ${id} (${category ?? "no category"}, ${type})`),
    ...(opened?.error === undefined ? [] : [`opens no session: ${opened.error.message}`])
  ]
}

const output = (command, commandArgs, path) => {
  const home = mkdtempSync(join(tmpdir(), "ai-relay-observe-"))
  const { stdout = "" } = spawnSync(command, commandArgs, {
    encoding: "utf8",
    cwd: home,
    env: environmentOf(home, path),
    timeout: patience,
    maxBuffer: 1 << 26
  })
  rmSync(home, { recursive: true, force: true, maxRetries: 5 })
  return stdout ?? ""
}

const claudeFacts = (path) => {
  const help = output("claude", ["--help"], path)
  const flags = [...help.matchAll(/^\s+(?:-\w, )?(--[\w-]+)/gm)].map(([, flag]) => `flag ${flag}`)
  const choices = [...help.matchAll(/\(choices: ([^)]*)\)/g)].flatMap(([, list]) =>
    list.replaceAll(/["\s]+/g, " ").split(",").map((choice) => `choice ${choice.trim()}`)
  )
  return [...new Set([...flags, ...choices])]
}

const codexFacts = (path) => {
  const home = mkdtempSync(join(tmpdir(), "ai-relay-observe-"))
  spawnSync("codex", ["app-server", "generate-json-schema", "--out", home], {
    env: environmentOf(home, path),
    timeout: patience
  })
  const found = []
  for (
    const [file, word] of [
      ["ServerNotification.json", "notification"],
      ["ServerRequest.json", "request to us"],
      ["ClientRequest.json", "request"]
    ]
  ) {
    const { oneOf = [] } = readJson(join(home, file)) ?? {}
    found.push(
      ...oneOf.flatMap(({ properties }) => properties?.method?.enum ?? []).map((name) => `${word} ${name}`)
    )
  }
  const { definitions = {} } = readJson(join(home, "v2/ItemStartedNotification.json")) ?? {}
  const items = definitions.ThreadItem?.oneOf ?? []
  found.push(...items.flatMap(({ properties }) => properties?.type?.enum ?? []).map((kind) => `item ${kind}`))
  rmSync(home, { recursive: true, force: true, maxRetries: 5 })
  return [...new Set(found)]
}

/** The kinds of messages and updates a package's machine-readable types have. */
const acpSchemaFacts = (folder) => {
  const schema = JSON.parse(
    readFileSync(join(folder, "node_modules/@agentclientprotocol/sdk/schema/v1/schema.json"), "utf8")
  )
  const updates = schema.$defs?.SessionUpdate?.oneOf ?? []
  return [
    ...updates.map(({ properties }) => `update ${properties?.sessionUpdate?.const}`),
    ...Object.keys(schema.$defs ?? {}).filter((name) => /(Request|Notification)$/.test(name)).map((name) =>
      `message ${name}`
    ),
    ...Object.keys(schema.$defs?.ClientCapabilities?.properties ?? {}).map((name) =>
      `capability of ours ${name}`
    )
  ]
}

const claudeSdkFacts = (folder) => {
  const types = readFileSync(join(folder, "node_modules/@anthropic-ai/claude-agent-sdk/sdk.d.ts"), "utf8")
  const words = (name, pattern) => [...types.matchAll(pattern)].map(([, word]) => `${name} ${word}`)
  return [
    ...new Set([
      ...words("message subtype", /subtype: '([\w]+)'/g),
      ...words("message type", /^\s+type: '([\w]+)'/gm),
      ...[...(/type PermissionMode = ([^;]+);/.exec(types)?.[1] ?? "").matchAll(/'(\w+)'/g)].map(([, mode]) =>
        `permission mode ${mode}`
      ),
      ...[...(/type HookEvent = ([^;]+);/.exec(types)?.[1] ?? "").matchAll(/'(\w+)'/g)].map(([, hook]) =>
        `hook ${hook}`
      )
    ])
  ]
}

let news = 0
const compare = (what, before, after) => {
  const added = after.filter((fact) => !before.includes(fact))
  const gone = before.filter((fact) => !after.includes(fact))
  for (const fact of added) console.log(`  new: ${fact}`)
  for (const fact of gone) console.log(`  gone: ${fact}`)
  if (before.length === 0) console.log(`  nothing could be read of the tested version of ${what}`)
  news += added.length + gone.length
}

const factsOf = (agent, path) =>
  agent === "claude" ? claudeFacts(path) : agent === "codex" ? codexFacts(path) : acpFacts(agent, path)

const moved = []
for (const agent of chosen) {
  const { package: name, [since]: tested } = agentVersions[agent]
  if (tested === undefined) {
    console.log(`${agent}: no ${since} version is tested`)
    continue
  }
  const newest = npmView(name)
  if (newest === tested) {
    console.log(`${agent} ${tested}: still the newest`)
    continue
  }
  console.log(`${agent}: ${tested} was tested, ${newest} is out`)
  const [before, after] = await installAgents([
    { agent, version: tested, rank: "newest" },
    { agent, version: newest, rank: "newest" }
  ])
  const missing = [before, after].find((one) => one.missing !== undefined)
  if (missing !== undefined) {
    console.log(`  ${missing.version} could not be installed: ${missing.missing}`)
    process.exitCode = 2
    continue
  }
  compare(agent, await factsOf(agent, before.path), await factsOf(agent, after.path))
  moved.push(after)
}

const { devDependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))
const libraries = [
  [
    "@agentclientprotocol/sdk",
    devDependencies["@agentclientprotocol/sdk"].replace(/^\D/, ""),
    acpSchemaFacts
  ],
  // The types of the Claude Code that is tested: 2.1.332 is 0.3.332 there.
  ["@anthropic-ai/claude-agent-sdk", agentVersions.claude.newest.replace(/^2\.1/, "0.3"), claudeSdkFacts]
]
for (const [name, tested, read] of args.includes("--agents") ? [] : libraries) {
  const newest = npmView(name)
  if (newest === tested) {
    console.log(`${name} ${tested}: still the newest`)
    continue
  }
  console.log(`${name}: ${tested} was looked at, ${newest} is out`)
  try {
    compare(name, read(await installPackage(name, tested)), read(await installPackage(name, newest)))
  } catch (error) {
    console.log(`  could not be compared: ${error.message}`)
    process.exitCode = 2
  }
}

if (moved.length > 0 && !args.includes("--no-scenarios")) {
  console.log("the scenarios, with the newest versions:")
  const folder = join(root, "node_modules/.cache")
  mkdirSync(folder, { recursive: true })
  const report = join(folder, "observe.json")
  writeFileSync(report, "{}")
  const vitest = join(root, "node_modules/vitest/vitest.mjs")
  spawnSync(
    process.execPath,
    [
      vitest,
      "run",
      "--project",
      "agents",
      "-t",
      "what a user does",
      "--reporter=json",
      `--outputFile.json=${report}`
    ],
    {
      cwd: root,
      stdio: ["ignore", "ignore", "inherit"],
      env: { ...env, AI_RELAY_AGENTS: JSON.stringify(moved) }
    }
  )
  const { testResults = [] } = JSON.parse(readFileSync(report, "utf8"))
  const failed = testResults.flatMap(({ assertionResults }) => assertionResults)
    .filter(({ status }) => status === "failed")
  for (const { ancestorTitles, title } of failed) console.log(`  fails: ${ancestorTitles.at(-1)}: ${title}`)
  if (testResults.length === 0) process.exitCode = 2
  news += failed.length
}

console.log(news === 0 ? "nothing the relay does not know" : `${news} things to look at`)
if (news > 0) process.exitCode ??= 1
