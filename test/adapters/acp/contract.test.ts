import * as AcpAdapter from "../../../src/adapters/acp/AcpAdapter.js"
import { claudeAgent } from "../../../src/adapters/acp/claudeAgent.js"
import { describeContract } from "../contract.js"
import { drive, isPrivate } from "./drive.js"

describeContract({
  tool: "claude-agent-acp",
  adapter: AcpAdapter.make("claude-agent-acp", claudeAgent),
  drive,
  isPrivate
})
