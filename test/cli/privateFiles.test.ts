import { assert, describe, it } from "@effect/vitest"
import { Option } from "effect"
import { homedir } from "node:os"
import { join } from "node:path"
import { codeFolder } from "../../src/cli/codeCache.js"
import { privateFiles } from "../../src/cli/privateFiles.js"

describe("files that no agent in the sandbox may see", () => {
  const none = {
    acp_registry: Option.none(),
    policy: Option.none(),
    tls_key: Option.none(),
    token_file: Option.none()
  }
  const code = `${codeFolder()}/`

  it("are those with secrets and rules, and the folders of the configuration and of compiled code", () => {
    assert.deepStrictEqual(privateFiles(none, [], { XDG_CONFIG_HOME: "/conf" }), ["/conf/ai-relay/", code])
    const files = {
      acp_registry: Option.some("/a/agents.json"),
      policy: Option.some("/a/rules.json"),
      tls_key: Option.some("/a/key.pem"),
      token_file: Option.some("/a/token")
    }
    assert.includeMembers([...privateFiles(files, [], {})], [
      "/a/rules.json",
      "/a/key.pem",
      "/a/token",
      "/a/agents.json"
    ])
  })

  it.each([
    ["a flag", ["serve", "--config", "/a/c.json"], {}, "/a/c.json"],
    ["a flag, in one word", ["--config=~/c.json"], { AI_RELAY_CONFIG: "/b.json" }, join(homedir(), "c.json")],
    ["a variable", ["serve"], { AI_RELAY_CONFIG: "/b.json" }, "/b.json"]
  ])("include the configuration file that is named by %s", (_, args, env, file) => {
    assert.deepStrictEqual(privateFiles(none, args, { ...env, XDG_CONFIG_HOME: "/conf" }), [
      file,
      "/conf/ai-relay/",
      code
    ])
  })
})
