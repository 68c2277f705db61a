import { describeContract } from "../contract.js"
import { claudeAgentAcp } from "../contracts.js"

describeContract(claudeAgentAcp)
