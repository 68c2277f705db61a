/** Agents of the Agent Client Protocol, the real ones, behind the real relay. Gemini has a file of its own. */
import { describeScenarios } from "./scenarios.js"

describeScenarios("claude-agent-acp", { tool: "claude-agent-acp" }, {
  cannot: { "asks only once": "cannot remember some commands" }
})
// Its sandbox lets commands write where it works, so it asks only for what wants to leave it.
describeScenarios("codex-acp", { tool: "codex-acp" }, {
  free: { permission_mode: "agent-full-access" },
  cannot: {
    "is denied, and goes on": "a denial ends its turn",
    "asks only once": "can remember commands only permanently",
    // Its cancel is Codex's `turn/interrupt` alone, which lets commands go on; it ends those when the session closes.
    "stops a running tool": "lets a running command continue until the session closes"
  }
})
describeScenarios("opencode", { tool: "opencode" }, {
  cannot: { "rate limit": "retries for more than a minute without saying so" }
})
describeScenarios("qwen", { tool: "qwen" }, {
  cannot: {
    "asks only once": "can remember only for the project, or permanently",
    "rate limit": "retries for more than a minute without saying so"
  }
})
describeScenarios("pi", { tool: "pi" }, {
  asksNobody: true,
  cannot: { "rate limit": "says only that it gave up" }
})
describeScenarios("kimi", { tool: "kimi" }, {
  cannot: {
    "written file": "shows what edits change in a file, but not what a rewrite changes",
    "rate limit": "ends the turn without a word"
  }
})
describeScenarios("copilot", { tool: "copilot" }, {
  cannot: { "rate limit": "retries for more than a minute without saying so" }
})
