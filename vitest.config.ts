import { fileURLToPath } from "node:url"
import { defineConfig, type TestProjectInlineConfiguration } from "vitest/config"
import { embeddedSources } from "./scripts/embeddedSources.mjs"

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const alias = [
  { find: /^ai-relay\/schema$/, replacement: here("./src/schema/index.ts") },
  { find: /^ai-relay\/client$/, replacement: here("./src/client/node.ts") },
  { find: /^ai-relay\/client\/effect$/, replacement: here("./src/client/RelayClient.ts") },
  { find: /^ai-relay\/ai-sdk$/, replacement: here("./src/fronts/chat/WebSocketChatTransport.ts") },
  { find: /^ai-relay\/messages$/, replacement: here("./src/messages/index.ts") },
  { find: /^ai-relay\/testing$/, replacement: here("./src/testing.ts") },
  { find: /^ai-relay$/, replacement: here("./src/index.ts") }
]
const common = {
  define: embeddedSources(),
  resolve: { alias }
}

/** What needs more than `npm ci` stands in folders of its own, one file at a time if nothing else is said. */
const special = (name: string, options: TestProjectInlineConfiguration["test"] = {}) => ({
  ...common,
  test: { name, include: [`test/${name}/**/*.test.ts`], fileParallelism: false, ...options }
})

/** What starts processes, terminals or the command line: slower, and it wants the machine for itself. */
const processes = [
  "test/adapters/newAgent.test.ts",
  "test/adapters/wire/patchProgram.test.ts",
  "test/cli/{acp,agentClients,handoff,run,serve,serviceFile,tracing}.test.ts",
  "test/docs/road.test.ts",
  "test/{conformance,examples}/**",
  "test/server/{proxies,rewind,workspace}.test.ts",
  "test/services/access/PeerProcesses.test.ts",
  "test/services/process/{ProcessFamily,ProcessSupervisor,ProcessTree,Sandbox,Watcher}.test.ts",
  "test/services/terminal/PtySupervisor.test.ts",
  "test/services/workspace/**"
]

/** What tries thousands of inputs, waits for real deadlines, or plays whole networks: not for each change of a line. */
const thorough = [
  "test/adapters/claude/streamEvent.test.ts",
  "test/adapters/fuzz/**/*.test.ts",
  "test/adapters/native/hugeLines.test.ts",
  "test/adapters/wire/jsonBytes.test.ts",
  "test/client/browser.test.ts",
  "test/fronts/chat/chat.test.ts",
  "test/fronts/{acp,cuts,project,relayBehindRelay}.test.ts",
  "test/lab/{LabServer,pipeFrames}.test.ts",
  "test/schema/judgedContracts.test.ts",
  "test/server/{bounds,door,mcp,metrics,nativeContinue,tokens}.test.ts",
  "test/services/access/{redact,redactPieces}.test.ts",
  "test/services/journal/{DiskStore,SessionLock}.test.ts",
  "test/services/log/EventStore.test.ts"
]

const browserSpeed = "test/browser/speed.test.ts"
const slow = { testTimeout: 120_000, hookTimeout: 120_000 }
const browserTimeouts = { testTimeout: 300_000, hookTimeout: 120_000 }

export default defineConfig({
  test: {
    projects: [
      // Needs no network, no agent and no build, and answers within a minute.
      {
        ...common,
        test: {
          name: "unit",
          include: ["test/**/*.test.ts", "examples/**/*.test.ts"],
          exclude: ["test/{agents,browser,chaos,containers,fuzz,judges,load}/**", ...processes, ...thorough],
          // What hangs hangs for ever; a machine that is busy with other things is no failure.
          testTimeout: 30_000,
          hookTimeout: 30_000
        }
      },
      {
        ...common,
        test: { name: "thorough", include: thorough, testTimeout: 30_000, hookTimeout: 30_000 }
      },
      {
        ...common,
        test: { name: "processes", include: processes, testTimeout: 60_000, hookTimeout: 60_000 }
      },
      // The real CLIs against a scripted model.
      special("agents", { ...slow, fileParallelism: true }),
      // The fronts, with the clients they are for.
      special("judges", { ...slow, fileParallelism: true }),
      // Much output for clients that do not read.
      special("load"),
      // Every field of every message an agent was recorded to say, of another type.
      special("fuzz"),
      // Kills what it can.
      special("chaos", { hookTimeout: 60_000 }),
      // The console in a real browser. Pictures are taken only when asked for.
      special("browser", {
        ...browserTimeouts,
        fileParallelism: true,
        exclude: [browserSpeed, ...process.env["AI_RELAY_IMAGES"] ? [] : ["test/browser/images.test.ts"]],
        sequence: { groupOrder: 0 }
      }),
      // Its speed is measured when nothing else runs.
      special("browser-speed", { ...browserTimeouts, include: [browserSpeed], sequence: { groupOrder: 1 } }),
      // The lab with a real Docker engine, which has names enough for several files at once.
      special("containers", { ...slow, fileParallelism: true })
    ]
  }
})
