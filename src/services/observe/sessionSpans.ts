/**
 * sessionSpans: a session's spans: the session, its turns, their tool calls, and the permissions an agent waited for. Times are
 * those of the events. Names and attributes follow OpenTelemetry's conventions for generative AI where these exist. Spans
 * contain no prompts, arguments or output.
 */
import { Context, Exit, Option, type Tracer } from "effect"
import type { BodyOf, RelayEvent, SessionId } from "../../schema/index.js"
import * as genAi from "./genAi.js"

export interface SessionSpans {
  readonly take: (event: RelayEvent) => void
}

type Attributes = Readonly<Record<string, unknown>>

const nanos = (seconds: number): bigint => BigInt(Math.round(seconds * 1000)) * 1_000_000n

/** Open spans by the id that their end event has. */
type Open = Map<string, Tracer.Span>

export const make = (tracer: Tracer.Tracer, session_id: SessionId): SessionSpans => {
  const tools: Open = new Map()
  const permissions: Open = new Map()
  let session: Tracer.Span | undefined
  let turn: Tracer.Span | undefined
  let tool = ""
  let model: string | undefined

  const begin = (name: string, parent: Tracer.Span | undefined, ts: number, attributes: Attributes) => {
    const span = tracer.span({
      name,
      parent: Option.fromNullishOr(parent),
      annotations: Context.empty(),
      links: [],
      startTime: nanos(ts),
      kind: "internal",
      root: parent === undefined,
      sampled: true
    })
    span.attribute("gen_ai.conversation.id", session_id)
    describe(span, attributes)
    return span
  }
  const describe = (span: Tracer.Span, attributes: Attributes) => {
    for (const [name, value] of Object.entries(attributes)) {
      if (value !== undefined) span.attribute(name, value)
    }
  }
  const end = (
    span: Tracer.Span | undefined,
    ts: number,
    failure: string | undefined,
    attributes: Attributes = {}
  ) => {
    if (span === undefined) return
    describe(span, attributes)
    span.end(nanos(ts), failure === undefined ? Exit.void : Exit.fail(failure))
  }
  const endIn = (
    open: Open,
    id: string | undefined,
    ts: number,
    failure?: string,
    attributes?: Attributes
  ) => {
    if (id === undefined) return
    end(open.get(id), ts, failure, attributes)
    open.delete(id)
  }
  const endAll = (ts: number, ...all: ReadonlyArray<Open>) => {
    for (const open of all) for (const id of [...open.keys()]) endIn(open, id, ts, "no answer")
  }

  const endTurn = ({ stop_reason, ts, usage }: BodyOf<"turn_end"> & { readonly ts: number }) => {
    endAll(ts, tools, permissions)
    end(turn, ts, stop_reason === "error" ? "the turn failed" : undefined, {
      "gen_ai.response.finish_reasons": [stop_reason],
      "gen_ai.usage.input_tokens": genAi.inputOf(usage ?? {}),
      "gen_ai.usage.output_tokens": usage?.output_tokens,
      "gen_ai.usage.cache_read.input_tokens": usage?.cached_input_tokens,
      "gen_ai.usage.cache_creation.input_tokens": usage?.cache_write_tokens,
      "gen_ai.response.model": model,
      "error.type": stop_reason === "error" ? "turn_failed" : undefined,
      "ai_relay.cost_usd": usage?.cost_usd
    })
    turn = undefined
  }

  const take = (event: RelayEvent): void => {
    const { ts } = event
    switch (event.type) {
      case "session_start": {
        const { model: chosen, resumed, tool: named } = event.metadata ?? {}
        tool = typeof named === "string" ? named : tool
        model = typeof chosen === "string" ? chosen : model
        session ??= begin("session", undefined, ts, {
          "gen_ai.agent.name": tool,
          "gen_ai.provider.name": genAi.providerOf(tool),
          "gen_ai.request.model": model,
          "ai_relay.resumed": resumed
        })
        return
      }
      case "session_end":
        endAll(ts, tools, permissions)
        return end(session, ts, undefined, { "process.exit.code": event.exit_code })
      case "turn_start":
        turn = begin("turn", session, ts, {
          "gen_ai.operation.name": "invoke_agent",
          "gen_ai.agent.name": tool,
          "gen_ai.provider.name": genAi.providerOf(tool),
          "gen_ai.request.model": model,
          "ai_relay.turn": event.turn
        })
        return
      case "status": {
        const { model: works, parent_tool_use_id } = event.metadata ?? {}
        // A subagent's model is its own.
        if (typeof works === "string" && parent_tool_use_id === undefined) model = works
        return
      }
      case "turn_end":
        return endTurn(event)
      case "tool_call": {
        const { tool: called, tool_use_id } = event
        tools.set(
          tool_use_id,
          begin(`execute_tool ${called}`, turn ?? session, ts, {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": called,
            "gen_ai.tool.call.id": tool_use_id
          })
        )
        return
      }
      case "tool_result":
        return endIn(tools, event.tool_use_id, ts, event.status === "error" ? "the tool failed" : undefined)
      case "permission_request": {
        const { request_id, tool: called, tool_use_id = "" } = event
        permissions.set(
          request_id,
          begin("permission", tools.get(tool_use_id) ?? turn ?? session, ts, { "gen_ai.tool.name": called })
        )
        return
      }
      case "permission_cancelled":
        return endIn(permissions, event.request_id, ts, undefined, {
          "ai_relay.outcome": event.metadata?.["reason"]
        })
      case "control_response":
        return endIn(permissions, event.request_id, ts, undefined, { "ai_relay.outcome": event.status })
      default:
    }
  }

  return { take }
}
