import * as AcpAdapter from "../../../src/adapters/acp/AcpAdapter.js"
import { geminiAgent } from "../../../src/adapters/gemini/geminiAgent.js"
import { drive, isPrivate } from "../acp/drive.js"
import { describeContract } from "../contract.js"

describeContract({ tool: "gemini", adapter: AcpAdapter.make("gemini", geminiAgent), drive, isPrivate })
