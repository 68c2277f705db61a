import { describeContract } from "../contract.js"
import { codex } from "../contracts.js"

describeContract(codex)
