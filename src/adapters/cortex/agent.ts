/**
 * agent: Cortex Agents, which plan, call tools on Snowflake's side and answer with text, tables and charts.
 *
 * A stored agent is selected by name (`db.schema.name`) and has its own model and tools. Without one, the
 * request carries a model and, if the handshake names a semantic view or file, Analyst as a tool.
 */
import { Effect } from "effect"
import type { NativeBlock } from "../../schema/ContentBlock.js"
import type { SnowflakeOptions } from "../../schema/index.js"
import { BadHandshake } from "../AdapterError.js"
import { makeCalls, readAgentEvents } from "./agentEvents.js"
import { alternating, type Dialect, inOrder, paragraphs } from "./Dialect.js"

/** SQL names: plain, or double-quoted with any characters, including dots. */
const agentName = /^("(?:[^"]|"")+"|[^".]+)\.("(?:[^"]|"")+"|[^".]+)\.("(?:[^"]|"")+"|[^".]+)$/

const toPath = (agent: string | undefined): Effect.Effect<string, BadHandshake> => {
  if (agent === undefined) return Effect.succeed("/api/v2/cortex/agent:run")
  const [, database, schema, name] = agentName.exec(agent.trim())?.map(encodeURIComponent) ?? []
  return name === undefined
    ? new BadHandshake({
      reason: "`snowflake.agent` must be the agent's full name, such as \"MY_DB.MY_SCHEMA.MY_AGENT\""
    })
    : Effect.succeed(`/api/v2/databases/${database}/schemas/${schema}/agents/${name}:run`)
}

const toolName = "analyst"

const toTools = ({ semantic_model_file, semantic_view }: SnowflakeOptions): object =>
  semantic_view === undefined && semantic_model_file === undefined ? {} : {
    tools: [{ tool_spec: { type: "cortex_analyst_text_to_sql", name: toolName } }],
    tool_resources: {
      [toolName]: semantic_view !== undefined ? { semantic_view } : { semantic_model_file }
    }
  }

const isText = ({ type }: NativeBlock) => type === "text"

export const makeAgent = Effect.fnUntraced(function*(options: SnowflakeOptions) {
  const path = yield* toPath(options.agent)
  const calls = makeCalls()
  const dialect: Dialect = {
    path,
    toBody: (messages, model) => ({
      messages: alternating(messages),
      stream: true,
      ...(options.agent === undefined && {
        ...(model !== undefined && { models: { orchestration: model } }),
        ...toTools(options)
      })
    }),
    reader: (answer) => readAgentEvents(answer, calls),
    // Of an answer that was cut off, only its text can be sent back.
    toHistory: (answer) => answer.final ?? inOrder(answer).filter(isText),
    toText: paragraphs
  }
  return dialect
})
