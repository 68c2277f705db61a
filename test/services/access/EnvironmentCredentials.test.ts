import { assert, describe, it } from "@effect/vitest"
import { Effect, Option, Redacted } from "effect"
import * as EnvironmentCredentials from "../../../src/services/access/EnvironmentCredentials.js"
import { defaults } from "../../../src/services/RelayConfig.js"

const credentials = EnvironmentCredentials.make({
  ...defaults(),
  cortex_token_env: ["TEAM_PAT", "UNSET", "EMPTY"]
}, {
  SNOWFLAKE_PAT: "pat",
  TEAM_PAT: "team",
  EMPTY: "",
  AI_RELAY_TOKEN: "relay",
  ANTHROPIC_API_KEY: "key"
})

const get = (tool: string, name: string) =>
  Effect.map(credentials.get(tool, name), (found) => Option.getOrUndefined(Option.map(found, Redacted.value)))

describe("EnvironmentCredentials", () => {
  it.effect("gives a tool the variables that are its business", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* get("cortex", "SNOWFLAKE_PAT"), "pat")
      assert.strictEqual(yield* get("cortex", "TEAM_PAT"), "team")
      assert.deepStrictEqual(credentials.names("cortex"), ["SNOWFLAKE_PAT", "TEAM_PAT", "UNSET", "EMPTY"])
    }))

  it.effect("gives no others, to nobody", () =>
    Effect.gen(function*() {
      for (
        const name of ["AI_RELAY_TOKEN", "ANTHROPIC_API_KEY", "UNSET", "EMPTY", "__proto__", "constructor"]
      ) {
        assert.isUndefined(yield* get("cortex", name))
      }
      for (const tool of ["claude", "generic", "__proto__", "constructor"]) {
        assert.isUndefined(yield* get(tool, "SNOWFLAKE_PAT"))
        assert.deepStrictEqual(credentials.names(tool), [])
      }
    }))
})
