import { assert, describe, it } from "@effect/vitest"
import { toLaunch } from "../../../src/adapters/acp/AcpLaunch.js"
import { presets } from "../../../src/adapters/acp/presets.js"
import { geminiAgent } from "../../../src/adapters/gemini/geminiAgent.js"
import { specOf } from "../../support/fakeAdapter.js"

describe("presets", () => {
  it("are tools of their own names", () => {
    const tools = presets.map(({ tool }) => tool)
    assert.strictEqual(new Set(tools).size, tools.length)
    assert.includeMembers(tools, ["gemini", "claude-agent-acp", "cortex-code", "opencode", "goose"])
    // These are adapters of their own.
    for (const taken of ["acp", "claude", "claude-code", "codex", "cortex", "generic", "replay"]) {
      assert.notInclude(tools, taken)
    }
  })

  it("say how to get the program, and how to log in", () => {
    for (const { install, login, tool } of presets) {
      assert.match(install, /^Install it on the relay's machine: \S/, tool)
      assert.match(login, /^On the relay's machine run/, tool)
    }
  })

  it("start their program with the model and the arguments of the handshake", () => {
    const spec = specOf({
      model: "gemini-3.8-flash",
      extra_args: ["--include-directories", "/x"],
      env: { A: "1" }
    })
    assert.deepInclude(toLaunch(geminiAgent, spec), {
      command: "gemini",
      args: ["--acp", "-m", "gemini-3.8-flash", "--include-directories", "/x"],
      cwd: "/workspace",
      env: { GEMINI_CLI_NO_RELAUNCH: "true" },
      clientEnv: { A: "1" }
    })
  })
})
