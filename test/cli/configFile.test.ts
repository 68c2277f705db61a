/** What is said of a configuration file that cannot be used: where it is wrong, and never what stands in it. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import { Config, Effect } from "effect"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { settingsProvider } from "../../src/cli/configFile.js"

/** The setting `drain` of a file with this content, or what is wrong with the file. */
const drainOf = (content: string) =>
  Effect.gen(function*() {
    const folder = yield* Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(join(tmpdir(), "ai-relay-config-"))),
      (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
    )
    const file = join(folder, "Einstellungen für uns.json")
    writeFileSync(file, content)
    const settings = yield* settingsProvider(["--config", file], {})
    return yield* Config.Int("drain").parse(settings)
  }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))

describe("the configuration file", () => {
  it.effect.each([
    "{\"drain\":5}",
    "{\r\n  \"drain\": \"5\"\r\n}\r\n",
    "\uFEFF{\"drain\":5}"
  ])("is read as editors save it: %j", (content) =>
    Effect.gen(function*() {
      assert.strictEqual(yield* drainOf(content), 5)
    }))

  it.effect.each(
    [
      [
        "{\n  \"token\": \"geheim\",\n  \"drain\": 5\n  \"linger\": 6\n}",
        "is not valid JSON (line 4): write {"
      ],
      ["// geheim\n{}", "is not valid JSON: write {"],
      ["", "is not valid JSON"],
      ["[\"geheim\"]", "must be one JSON object of settings"],
      ["{\"allow-origin\":\"geheim\"}", "has an unknown setting \"allow-origin\": write \"allow_origin\""],
      ["{\"AI_RELAY_PORT\":1}", "write \"port\""],
      ["{\"drian\":\"geheim\"}", "has an unknown setting \"drian\": use host, token"],
      ["{\"budget\":{\"geheim\":5}}", "has a bad value for \"budget\": write a text, a number"],
      ["{\"drain\":null}", "has a bad value for \"drain\""]
    ] as const
  )("%j: says what is wrong", ([content, words]) =>
    Effect.gen(function*() {
      const { message } = yield* Effect.flip(drainOf(content))
      assert.include(message, words)
      assert.notInclude(message, "geheim")
    }))

  it.effect.each(["--config --port 0", "--config="])("has a name: %s", (args) =>
    Effect.gen(function*() {
      const { message } = yield* Effect.flip(settingsProvider(args.split(" "), {})).pipe(
        Effect.provide(NodeServices.layer)
      )
      assert.include(message, "write --config FILE")
    }))
})
