import { describeContract } from "../contract.js"
import { gemini } from "../contracts.js"

describeContract(gemini)
