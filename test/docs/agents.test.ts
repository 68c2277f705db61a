/** docs/agents.md names every agent of the Agent Client Protocol that the relay knows, as it starts it. */
import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { presets } from "../../src/adapters/acp/presets.js"

const page = readFileSync(join(import.meta.dirname, "..", "..", "docs", "agents.md"), "utf8")

describe("the page on agents", () => {
  it.each(presets)(
    "has a row for $tool, with its other names and its command",
    ({ aliases = [], args, command, name, tool }) => {
      const names = [tool, ...aliases].map((each) => `\`${each}\``).join(", ")
      // Where a program wants another argument on one system, that one is left out.
      const words = [command, ...args.filter((word) => word !== "--uid=")].join(" ")
      assert.include(page, `| ${names} | ${name} | \`${words}\` |`)
    }
  )
})
