import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"
import { bundleReaper } from "./scripts/bundleReaper.mjs"

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const alias = [
  { find: /^ai-relay\/schema$/, replacement: here("./src/schema/index.ts") },
  { find: /^ai-relay\/client$/, replacement: here("./src/client/node.ts") },
  { find: /^ai-relay$/, replacement: here("./src/index.ts") }
]

const define = { __AI_RELAY_REAPER__: JSON.stringify(bundleReaper()) }

// `unit` needs no network, no agent and no build; `agents` drives the real CLIs against a scripted model; `load` measures.
export default defineConfig({
  test: {
    projects: [
      {
        define,
        resolve: { alias },
        test: {
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: ["test/agents/**", "test/load/**"]
        }
      },
      {
        define,
        resolve: { alias },
        test: {
          name: "agents",
          include: ["test/agents/**/*.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          poolOptions: { forks: { singleFork: true } }
        }
      },
      {
        resolve: { alias },
        test: {
          name: "load",
          include: ["test/load/**/*.test.ts"],
          poolOptions: { forks: { singleFork: true } }
        }
      }
    ]
  }
})
