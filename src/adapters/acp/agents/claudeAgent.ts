/**
 * claudeAgent: Claude Code behind claude-agent-acp (0.49 to 0.101). The relay's own `claude` adapter reports
 * more; this one is for those who want the protocol.
 *
 * Details the protocol does not cover are in `_meta`: a tool's name, how long it runs, the subscription's
 * limits.
 */
import { Option, Schema } from "effect"
import { optional } from "../../../schema/fields.js"
import { npm } from "../../advice.js"
import { claude } from "../../claude/descriptor.js"
import { moment } from "../../wire/lenient.js"
import type { AcpAgent, AcpQuirks } from "../AcpAgent.js"
import type { ToolFields } from "../AcpMessage.js"

const ToolMeta = Schema.Struct({
  claudeCode: Schema.Struct({
    toolName: optional(Schema.String),
    toolResponse: optional(Schema.Struct({ elapsedTimeSeconds: optional(Schema.Number) }))
  })
})
const readToolMeta = Schema.decodeUnknownOption(ToolMeta)

const metaOf = ({ _meta }: ToolFields) => Option.getOrUndefined(readToolMeta(_meta))?.claudeCode

const toolProgress: AcpQuirks["toolProgress"] = (call) => {
  const seconds = metaOf(call)?.toolResponse?.elapsedTimeSeconds
  return seconds === undefined ? undefined : `${seconds} s`
}

const LimitMeta = Schema.Struct({
  "_claude/rateLimit": Schema.Struct({
    status: Schema.String,
    rateLimitType: optional(Schema.String),
    resetsAt: moment,
    utilization: optional(Schema.Number)
  })
})
const readLimitMeta = Schema.decodeUnknownOption(LimitMeta)

const onUsage: AcpQuirks["onUsage"] = ({ _meta }) =>
  Option.match(readLimitMeta(_meta), {
    onNone: () => [],
    onSome: ({ "_claude/rateLimit": { rateLimitType = "usage", resetsAt, status, utilization } }) =>
      status === "allowed" ? [] : [{
        type: "quota_warning",
        text: `The ${rateLimitType} limit is ${status === "rejected" ? "" : "nearly "}reached.`,
        metadata: {
          status,
          limit: rateLimitType,
          resets_at: resetsAt,
          utilization,
          ...(status === "rejected" && { limited: true })
        }
      }]
  })

export const claudeAgent: AcpAgent = {
  tool: "claude-agent-acp",
  aliases: ["claude-acp", "claude-code-acp"],
  name: "Claude Agent (ACP)",
  command: "claude-agent-acp",
  args: [],
  install: npm("@agentclientprotocol/claude-agent-acp"),
  login:
    "On the relay's machine run `claude` and then /login, or start the relay with ANTHROPIC_API_KEY set.",
  inherits: claude.inherits,
  settable: claude.settable,
  writable: claude.writable,
  provider: claude.provider,
  stored_as: claude.tool,
  // Since 0.100 it starts in `auto`.
  asks: { mode: "default", insteadOf: ["auto", "bypassPermissions"] },
  quirks: { toolName: (call) => metaOf(call)?.toolName, toolProgress, onUsage }
}
