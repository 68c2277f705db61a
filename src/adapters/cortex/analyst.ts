/**
 * analyst: Cortex Analyst, which answers questions with SQL and does not run it.
 *
 * Every complete statement is reported as a `tool_call`. Nobody runs it, so a `tool_result` that says so
 * follows at once and a page's card does not wait forever. Deltas of a statement are reported as deltas of
 * the call's arguments.
 */
import { Option, Schema } from "effect"
import type { NativeBlock } from "../../schema/ContentBlock.js"
import type { EventBody, SnowflakeOptions } from "../../schema/index.js"
import { wordsIn } from "../wire/words.js"
import { AnalystDelta, AnalystStatus, type Fields, Warnings } from "./CortexMessage.js"
import {
  alternating,
  type Answer,
  type Dialect,
  type Events,
  extend,
  inOrder,
  nothingNew,
  paragraphs,
  type Reader,
  status
} from "./Dialect.js"

const readStatus = Schema.decodeUnknownOption(AnalystStatus)
const readDelta = Schema.decodeUnknownOption(AnalystDelta)
const readWarnings = Schema.decodeUnknownOption(Warnings)
const readTexts = Schema.decodeUnknownOption(Schema.Array(Schema.String))

const written = "Written but not run: Cortex Analyst leaves running it to you."

const suggestionsOf = (block: NativeBlock): ReadonlyArray<string> =>
  Option.getOrElse(readTexts(block["suggestions"]), () => [])

const reader = (answer: Answer): Reader => {
  const idOf = (index: number) => `${answer.id}:${index}`

  const statementPiece = (index: number, piece: string): EventBody => {
    const opening = answer.blocks.has(index) ? "" : "{\"statement\":\""
    extend(answer, index, "sql", "statement", piece)
    const text = opening + JSON.stringify(piece).slice(1, -1)
    return { type: "stream_event", delta: "tool_input", text, tool_use_id: idOf(index) }
  }

  const suggest = (index: number, place: number, piece: string): EventBody => {
    const suggestions = [...suggestionsOf(answer.blocks.get(index) ?? { type: "suggestions" })]
    suggestions[place] = (suggestions[place] ?? "") + piece
    answer.blocks.set(index, {
      type: "suggestions",
      suggestions: Array.from(suggestions, (text) => text ?? "")
    })
    return nothingNew
  }

  const content = (delta: AnalystDelta): EventBody => {
    const { confidence, index, statement_delta, suggestions_delta, text_delta } = delta
    if (text_delta !== undefined) {
      extend(answer, index, "text", "text", text_delta)
      return { type: "stream_event", delta: "text", text: text_delta }
    }
    if (suggestions_delta !== undefined) {
      return suggest(index, suggestions_delta.index, suggestions_delta.suggestion_delta)
    }
    if (statement_delta === undefined) return nothingNew
    const event = statementPiece(index, statement_delta)
    if (confidence !== undefined) {
      answer.blocks.set(index, { type: "sql", ...answer.blocks.get(index), confidence })
    }
    return event
  }

  const told = ({ status: name, status_message }: AnalystStatus): EventBody => {
    // Older servers send nothing further; newer ones follow with `done`.
    if (name === "done") answer.progress = "complete"
    return status(name, status_message)
  }

  const read = (event: string, message: Fields): EventBody => {
    const unknown = () => status(event, wordsIn(message))
    switch (event) {
      case "status":
        return Option.match(readStatus(message), { onNone: unknown, onSome: told })
      case "message.content.delta":
        return Option.match(readDelta(message), { onNone: unknown, onSome: content })
      case "warnings":
        return Option.match(readWarnings(message), {
          onNone: unknown,
          onSome: ({ warnings }) =>
            status("warnings", warnings.map((warning) => warning.message).join("\n"), { warnings })
        })
      case "response_metadata":
        return status(event, undefined, message)
      case "done":
        answer.progress = "closed"
        return status("done")
      default:
        return unknown()
    }
  }

  const tell = (index: number, block: NativeBlock): Events => {
    const tool_use_id = idOf(index)
    const { confidence, statement } = block
    return block.type !== "sql" ? [] : [
      { type: "stream_event", delta: "tool_input", text: "\"}", tool_use_id },
      {
        type: "tool_call",
        tool: "sql",
        tool_use_id,
        args: { statement },
        ...(confidence !== undefined && { metadata: { confidence } })
      },
      { type: "tool_result", tool: "sql", tool_use_id, status: "ok", text: written }
    ]
  }

  return {
    read: (event, message) => [read(event, message)],
    settle: () =>
      [...answer.blocks].toSorted(([a], [b]) => a - b).flatMap(([index, block]) => tell(index, block))
  }
}

/** The same as text, for clients that read nothing else. */
const toText = (content: ReadonlyArray<NativeBlock>): string =>
  content.map((block) =>
    block.type === "sql"
      ? `\`\`\`sql\n${String(block["statement"])}\n\`\`\``
      : block.type === "suggestions"
      ? suggestionsOf(block).map((suggestion) => `- ${suggestion}`).join("\n")
      : paragraphs([block])
  ).filter((text) => text !== "").join("\n\n")

/** The blocks in the format the service accepts. */
const toNative = ({ statement, suggestions, text, type }: NativeBlock): NativeBlock =>
  type === "sql"
    ? { type, statement }
    : type === "suggestions"
    ? { type, suggestions }
    : { type: "text", text }

/** A handshake's semantic models; Analyst needs exactly one. */
export const semanticsOf = (options: SnowflakeOptions): ReadonlyArray<readonly [string, unknown]> => {
  const { semantic_model, semantic_model_file, semantic_models, semantic_view } = options
  return Object.entries({ semantic_model, semantic_model_file, semantic_models, semantic_view })
    .filter(([, value]) => value !== undefined)
}

export const makeAnalyst = (semantics: ReadonlyArray<readonly [string, unknown]>): Dialect => ({
  path: "/api/v2/cortex/analyst/message",
  toBody: (messages) => ({
    messages: alternating(messages).map(({ content, role }) => ({
      role: role === "user" ? "user" : "analyst",
      content: content.map(toNative)
    })),
    stream: true,
    ...Object.fromEntries(semantics)
  }),
  reader,
  toHistory: inOrder,
  toText
})
