import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const alias = [
  { find: /^ai-relay\/schema$/, replacement: here("./src/schema/index.ts") },
  { find: /^ai-relay$/, replacement: here("./src/index.ts") }
]

// `unit` needs no network, no agent and no build; `agents` drives the real CLIs against a scripted model.
export default defineConfig({
  test: {
    projects: [
      {
        resolve: { alias },
        test: {
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: ["test/agents/**"],
          // Loading Effect anew for each file would cost more than all tests together.
          isolate: false
        }
      },
      {
        resolve: { alias },
        test: {
          name: "agents",
          include: ["test/agents/**/*.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          poolOptions: { forks: { singleFork: true } }
        }
      }
    ]
  }
})
