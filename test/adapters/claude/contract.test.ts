import { describeContract } from "../contract.js"
import { claude } from "../contracts.js"

describeContract(claude)
