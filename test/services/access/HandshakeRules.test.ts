import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { Handshake } from "../../../src/schema/index.js"
import { checkHandshake } from "../../../src/services/access/HandshakeRules.js"
import { defaults, type Settings } from "../../../src/services/RelayConfig.js"

const refusal = (handshake: Handshake, rules: Partial<Settings> = {}) =>
  checkHandshake(handshake, { ...defaults(), ...rules }).pipe(
    Effect.as("accepted"),
    Effect.catch(({ reason }) => Effect.succeed(reason)),
    Effect.runSync
  )

const bash: Handshake = { tool: "generic", command: ["bash", "-l"] }

describe("checkHandshake", () => {
  it("takes arguments, programs and variables that load nothing, by default", () => {
    assert.strictEqual(
      refusal({ tool: "claude", extra_args: ["--verbose"], env: { DEBUG: "1" } }),
      "accepted"
    )
    assert.strictEqual(refusal(bash), "accepted")
    assert.strictEqual(refusal({ tool: "acp", command: "my-agent" }), "accepted")
  })

  it("takes no variable that changes what is loaded", () => {
    assert.include(refusal({ tool: "claude", env: { LD_PRELOAD: "x.so" } }), "--allow-env LD_PRELOAD")
    assert.strictEqual(refusal({ env: { LD_PRELOAD: "x.so" } }, { allow_env: ["LD_PRELOAD"] }), "accepted")
  })

  it("takes no arguments where they are forbidden, nor Codex' config, which is the same", () => {
    const rules = { no_extra_args: true }
    assert.include(refusal({ tool: "claude", extra_args: ["--add-dir", "/"] }, rules), "`extra_args`")
    assert.include(refusal({ tool: "codex", config: { mcp_servers: {} } }, rules), "`config`")
    assert.strictEqual(refusal({ tool: "claude", extra_args: [] }, rules), "accepted")
  })

  it("takes MCP servers for programs, too", () => {
    const rules = { no_command: true, allow_programs: ["db-mcp"] }
    const wanting = (...commands: ReadonlyArray<string>): Handshake => ({
      tool: "claude",
      mcp_servers: [
        { name: "docs", type: "http", url: "https://mcp.example.com" },
        ...commands.map((command) => ({ name: command, command }))
      ]
    })
    assert.strictEqual(refusal(wanting("sh")), "accepted")
    assert.strictEqual(refusal(wanting("db-mcp"), rules), "accepted")
    assert.include(refusal(wanting("db-mcp", "sh"), rules), "--allow-program sh")
    assert.include(refusal(wanting("sh"), { allow_programs: ["db-mcp"] }), "--allow-program sh")
  })

  it("takes no program where they are forbidden, but those that are listed", () => {
    const rules = { no_command: true, allow_programs: ["bash"] }
    for (const tool of ["generic", "acp"]) {
      assert.include(refusal({ tool, command: ["zsh"] }, rules), "--allow-program zsh")
      assert.include(refusal({ tool, command: "/bin/bash" }, rules), "--allow-program /bin/bash")
      assert.strictEqual(refusal({ tool, command: "bash" }, rules), "accepted")
    }
    assert.strictEqual(refusal({ tool: "replay", command: "a.ndjson" }, rules), "accepted")
    assert.strictEqual(refusal({ tool: "claude" }, rules), "accepted")
  })

  it("takes only programs that are listed, once some are, be it on a terminal or not", () => {
    const rules = { allow_programs: ["htop"] }
    assert.include(refusal(bash, rules), "runs only htop")
    assert.include(refusal({ tool: "acp", command: ["rm", "-rf", "x"] }, rules), "--allow-program rm")
    assert.strictEqual(refusal({ tool: "acp", command: ["rm"] }, { allow_programs: ["*"] }), "accepted")
  })

  it("takes no arguments beside a list of permission modes: they could choose any", () => {
    const rules = { permission_modes: ["default", "plan"] }
    const flag = ["--dangerously-skip-permissions"]
    assert.include(
      refusal({ tool: "claude", extra_args: flag }, rules),
      "only the permission modes default, plan"
    )
    assert.include(refusal({ tool: "codex", config: { sandbox_mode: "x" } }, rules), "`config`")
    assert.strictEqual(refusal({ tool: "claude" }, rules), "accepted")
  })

  it.each([
    "--continue",
    "--dangerously-skip-permissions",
    "-c",
    "",
    " x",
    "a b",
    "../../etc/passwd",
    "a\n-c",
    "/x.jsonl"
  ])(
    "takes no id of a conversation that could be a flag or a path: %j",
    (native_session_id) => {
      for (const tool of ["claude", "codex", "gemini", "acp"]) {
        assert.include(refusal({ tool, native_session_id }), "`native_session_id` must be")
      }
    }
  )

  it("takes ids and models as agents have them", () => {
    const ids = [
      "9a91ffdc-c81a-4d0b-9b39-fd3cb83f032b",
      "ses_4f2a9B",
      "019a2b6e-3c1f-7d50-9d1e-5a8e1f0c2b44",
      "42"
    ]
    for (const native_session_id of ids) assert.strictEqual(refusal({ native_session_id }), "accepted")
    for (const model of ["opus", "openai/gpt-5.2[1m]", "claude-x@20261001", "a model"]) {
      assert.strictEqual(refusal({ model }), "accepted")
    }
    assert.include(refusal({ tool: "gemini", model: "--yolo" }), "`model` must be")
  })
})
