/** What of an agent's own protocol a client may ask, by the rules each adapter declares. */
import { assert, describe, it } from "@effect/vitest"
import { nativeRules as acpRules } from "../../../src/adapters/acp/ClientRequests.js"
import type { NativeRules } from "../../../src/adapters/Adapter.js"
import { nativeRules as claudeRules } from "../../../src/adapters/claude/ClaudeControl.js"
import { nativeRules as codexRules } from "../../../src/adapters/codex/nativeRules.js"
import { cutSecrets } from "../../../src/services/access/cutSecrets.js"
import * as NativeRequests from "../../../src/services/access/NativeRequests.js"
import { cleanText } from "../../../src/services/access/redact.js"

const strict = { allow_native_requests: false, permission_modes: [] }
const codex = codexRules("own-thread")
const acp = acpRules("/work")
const modes = ["default", "plan"]

const verdict = (
  native: NativeRules | undefined,
  method: string,
  params: Readonly<Record<string, unknown>> = {},
  rules: NativeRequests.Rules = strict
) => NativeRequests.objection("Agent", { method, params }, native, modes, rules) ?? "passes"

const run = { servers: { x: { command: "/bin/sh", args: ["-c", "id"] } } }

describe("a native request that does more than an agent may do unasked", () => {
  const claude: ReadonlyArray<readonly [string, object]> = [
    ["mcp_set_servers", run],
    ["mcp_status", {}],
    ["mcp_call", { tool: "x", arguments: {} }],
    ["apply_flag_settings", { settings: { permissions: { defaultMode: "bypassPermissions" } } }],
    ["read_file", { path: "/etc/shadow" }],
    ["get_settings", {}],
    ["initialize", { hooks: {} }],
    ["register_repo_root", { path: "/" }],
    ["rewind_files", { user_message_id: "x" }],
    ["unheard_of", {}],
    ["constructor", {}],
    ["__proto__", {}]
  ]
  const ofCodex: ReadonlyArray<readonly [string, object]> = [
    ["command/exec", { command: ["id"], sandboxPolicy: { type: "dangerFullAccess" }, cwd: "/" }],
    ["fs/readFile", { path: "/etc/shadow" }],
    ["fs/writeFile", { path: "/tmp/x", dataBase64: "" }],
    ["config/value/write", { keyPath: "sandbox_mode", value: "danger-full-access" }],
    ["config/batchWrite", {}],
    ["config/read", {}],
    ["getAuthStatus", { includeToken: true }],
    ["account/logout", {}],
    ["account/login/start", {}],
    ["thread/start", { cwd: "/etc", sandbox: "danger-full-access", approvalPolicy: "never" }],
    ["thread/resume", { threadId: "x" }],
    ["thread/fork", { threadId: "x" }],
    ["thread/delete", { threadId: "x" }],
    ["thread/shellCommand", {}],
    ["thread/settings/update", { approvalPolicy: "never" }],
    ["turn/start", { threadId: "own-thread", approvalPolicy: "never" }],
    ["thread/list", {}],
    ["mcpServer/tool/call", {}],
    ["unheard/of", {}]
  ]
  const ofAcp: ReadonlyArray<readonly [string, object]> = [
    ["session/new", { cwd: "/", mcpServers: [run] }],
    ["session/set_mode", { modeId: "yolo" }],
    ["session/set_config_option", { configId: "mode", value: "yolo" }],
    ["session/delete", {}],
    ["authenticate", {}],
    ["logout", {}],
    ["fs/write_text_file", { path: "/x" }],
    ["_vendor/run", {}]
  ]
  const all = [
    ...claude.map((request) => ["claude", claudeRules, ...request] as const),
    ...ofCodex.map((request) => ["codex", codex, ...request] as const),
    ...ofAcp.map((request) => ["acp", acp, ...request] as const),
    ["a terminal", undefined, "anything", {}] as const
  ]

  it.each(all)("is refused: %s %#: $2", (_, rules, method, params) => {
    assert.notStrictEqual(verdict(rules, method, params as Record<string, unknown>), "passes")
  })

  it("is told how the operator allows it, and what passes without", () => {
    const text = verdict(claudeRules, "mcp_set_servers", run)
    assert.include(text, "--allow-native-requests")
    assert.include(text, "get_context_usage")
    assert.notInclude(text, "/bin/sh")
    assert.include(verdict(codex, "turn/start"), "send a prompt as")
    assert.isBelow(verdict(codex, "x".repeat(100_000)).length, 700)
  })

  it("passes where the operator allows it", () => {
    const rules = { ...strict, allow_native_requests: true }
    assert.strictEqual(verdict(claudeRules, "mcp_set_servers", run, rules), "passes")
    assert.strictEqual(verdict(codex, "command/exec", { command: ["id"] }, rules), "passes")
    assert.strictEqual(verdict(undefined, "anything", {}, rules), "passes")
  })

  it("brings back no permission mode that the operator has ruled out, also where native requests pass", () => {
    const rules = { allow_native_requests: true, permission_modes: ["default", "plan"] }
    for (
      const params of [
        { sandboxPolicy: { type: "dangerFullAccess" } },
        { overrides: [{ deep: { approval_policy: "never" } }] },
        { config: { sandbox_mode: "danger-full-access" } }
      ]
    ) {
      assert.include(
        verdict(codex, "turn/start", params, rules),
        "allows only the permission modes default, plan"
      )
    }
    assert.include(
      verdict(claudeRules, "apply_flag_settings", { settings: {} }, rules),
      "set_permission_mode"
    )
    assert.include(
      verdict(claudeRules, "set_permission_mode", { mode: "bypassPermissions" }, rules),
      "one of default"
    )
  })
})

describe("a harmless native request", () => {
  it("passes with the parameters it may have, and no other", () => {
    assert.strictEqual(verdict(claudeRules, "get_context_usage"), "passes")
    assert.strictEqual(verdict(claudeRules, "set_max_thinking_tokens", { max_thinking_tokens: 1 }), "passes")
    assert.strictEqual(verdict(codex, "model/list", { limit: 3 }), "passes")
    assert.strictEqual(verdict(acp, "session/list"), "passes")
    assert.include(verdict(codex, "model/list", { limit: 3, cwd: "/" }), "\"cwd\"")
    assert.include(verdict(codex, "model/list", { constructor: 1 }), "\"constructor\"")
  })

  it("is about this session: another thread, session or folder cannot be named", () => {
    assert.strictEqual(verdict(codex, "thread/name/set", { name: "x" }), "passes")
    assert.strictEqual(verdict(codex, "thread/name/set", { name: "x", threadId: "own-thread" }), "passes")
    assert.include(verdict(codex, "thread/read", { threadId: "another" }), "is about this session")
    assert.include(verdict(acp, "session/list", { cwd: "/home/else" }), "is about this session")
    assert.deepStrictEqual(
      NativeRequests.withOwn(
        { type: "raw_request", method: "thread/read", params: { includeTurns: true } },
        codex
      ),
      { type: "raw_request", method: "thread/read", params: { includeTurns: true, threadId: "own-thread" } }
    )
    assert.deepStrictEqual(
      NativeRequests.withOwn({ type: "control_request", request: { subtype: "session/list" } }, acp),
      { type: "control_request", request: { subtype: "session/list", cwd: "/work" } }
    )
  })

  it("chooses none but an offered permission mode", () => {
    assert.strictEqual(verdict(claudeRules, "set_permission_mode", { mode: "plan" }), "passes")
    for (const mode of ["bypassPermissions", undefined, ["plan"], { toString: "plan" }]) {
      assert.include(verdict(claudeRules, "set_permission_mode", { mode }), "must be one of default, plan")
    }
  })
})

describe("cutSecrets", () => {
  const redact = cleanText({ DEPLOY_TOKEN: "relay-own-secret-value" })
  const cut = <A>(value: A) => cutSecrets(value, redact)

  it("gives back the very same object where nothing is secret", () => {
    const value = { total_tokens: 5, models: [{ id: "gpt" }], nextCursor: null }
    assert.strictEqual(cut(value), value)
  })

  it("cuts what a field's name, a known value, or a key's shape gives away, also in Base64", () => {
    const file = Buffer.from(JSON.stringify({ tokens: { access_token: "abcdefgh-12345" } })).toString(
      "base64"
    )
    const text = JSON.stringify(cut({
      authToken: "abc",
      authMethod: "apikey",
      deep: [{ OPENAI_API_KEY: "short", headers: { "X-Any": "v4lue" }, env: { FOO: "b4r" } }],
      list: ["uses relay-own-secret-value", `sk-${"a".repeat(30)}`],
      dataBase64: file
    }))
    for (const secret of ["abc\"", "short", "v4lue", "b4r", "relay-own-secret-value", "sk-aaa", file]) {
      assert.notInclude(text, secret)
    }
    assert.include(text, "apikey")
  })
})
