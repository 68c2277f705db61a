/** The real claude-agent-acp behind the real relay. */
import { describeScenarios } from "./scenarios.js"

describeScenarios("claude-agent-acp", { tool: "claude-agent-acp" })
