/**
 * toolItems: converts a Codex tool item to a `tool_call` and a `tool_result`.
 */
import { Match, Predicate } from "effect"
import type { NativeBlock } from "../../schema/ContentBlock.js"
import type { BodyOf } from "../../schema/index.js"
import { firstText, shown, wordsIn, wordsOf } from "../wire/words.js"
import type { ToolItem } from "./CodexItem.js"
import { toFileDiffs } from "./fileChanges.js"

type Call = Pick<BodyOf<"tool_call">, "tool" | "args">
type Result = Pick<BodyOf<"tool_result">, "status" | "text" | "content" | "exit_code">

/** A tool's name; tools of an MCP server are named as in Claude. */
export const toolOf = (item: ToolItem): string => {
  switch (item.type) {
    case "mcpToolCall":
      return `mcp__${item.server}__${item.tool}`
    case "dynamicToolCall":
      return item.namespace === undefined ? item.tool : `${item.namespace}.${item.tool}`
    case "collabAgentToolCall":
      return item.tool
    case "functionCallOutput": {
      const { name = item.type, namespace } = item
      return namespace === undefined ? name : `${namespace}.${name}`
    }
    default:
      return item.type
  }
}

const without = (fields: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))

const argsOf = Match.type<ToolItem>().pipe(
  Match.withReturnType<unknown>(),
  Match.discriminatorsExhaustive("type")({
    commandExecution: ({ command, cwd }) => without({ command, cwd }),
    fileChange: ({ changes }) => without({ file_path: changes[0]?.path, changes }),
    mcpToolCall: (item) => item.arguments ?? {},
    dynamicToolCall: (item) => item.arguments ?? {},
    collabAgentToolCall: ({ model, prompt, receiverThreadIds }) =>
      without({ prompt, model, agents: receiverThreadIds }),
    webSearch: ({ action, query }) => without({ query, action }),
    imageView: ({ path }) => ({ path }),
    imageGeneration: ({ revisedPrompt }) => without({ prompt: revisedPrompt }),
    functionCallOutput: () => ({}),
    sleep: ({ durationMs }) => without({ duration_ms: durationMs })
  })
)

export const callOf = (item: ToolItem): Call => ({ tool: toolOf(item), args: argsOf(item) })

/** A search's query is known only when it is over. */
export const isComplete = (item: ToolItem): boolean => item.type !== "webSearch" || item.query !== ""

const textOfParts = (parts: ReadonlyArray<unknown>): string =>
  parts.flatMap((part) =>
    Predicate.hasProperty(part, "text") && typeof part.text === "string" ? [part.text] : []
  ).join("\n")

const linesOf = (blocks: ReadonlyArray<NativeBlock>): string =>
  blocks.map((block) => wordsOf(block)).filter((text) => text !== "").join("\n")

const changeLines = (changes: Extract<ToolItem, { type: "fileChange" }>["changes"]): string =>
  changes.map(({ kind, path }) =>
    kind.move_path === undefined ? `${kind.type} ${path}` : `move ${path} to ${kind.move_path}`
  ).join("\n")

const statesText = (states: Readonly<Record<string, unknown>>): string =>
  textOfParts(
    Object.values(states).map((state) =>
      Predicate.hasProperty(state, "message") ? { text: state.message } : undefined
    )
  )

/** How the agents are, in Codex's words. */
const wordsOfStates = (states: Readonly<Record<string, unknown>>): string =>
  Object.values(states).flatMap((state) =>
    Predicate.hasProperty(state, "status") && typeof state.status === "string" ? [state.status] : []
  ).join("\n")

/** A search may ask for several things or open a page. */
const queriesOf = (action: unknown): ReadonlyArray<string> => {
  const { pattern, queries, url } = (Predicate.isObject(action) ? action : {}) as Record<string, unknown>
  return [...Array.isArray(queries) ? queries : [], pattern, url].filter(Predicate.isString)
}

const isFailure = (error: unknown) => error !== undefined && error !== false
const failureText = (error: unknown) =>
  isFailure(error) ? wordsIn(error) ?? "The tool failed; its server gave no reason." : undefined

const word = (ok: boolean) => ok ? "ok" as const : "error" as const
const good = new Set(["", "completed", "complete", "success", "succeeded", "done", "ok"])
const done = (status = "") => word(good.has(status))

const resultOf = Match.type<ToolItem>().pipe(
  Match.withReturnType<Result>(),
  Match.discriminatorsExhaustive("type")({
    commandExecution: ({ aggregatedOutput = "", exitCode, status }) => ({
      status: word(done(status) === "ok" && (exitCode ?? 0) === 0),
      text: aggregatedOutput,
      content: aggregatedOutput,
      ...(exitCode !== undefined && Number.isSafeInteger(exitCode) && { exit_code: exitCode })
    }),
    fileChange: ({ changes, status }) => ({ status: done(status), text: changeLines(changes) }),
    mcpToolCall: ({ error, result, status }) => ({
      status: word(done(status) === "ok" && !isFailure(error) && result?.isError !== true),
      text: failureText(error) ??
        (linesOf(result?.content ?? []) || (shown(result?.structuredContent) ?? "")),
      ...(result !== undefined && { content: result.content })
    }),
    dynamicToolCall: ({ contentItems = [], status, success }) => ({
      status: word(done(status) === "ok" && success !== false),
      text: linesOf(contentItems),
      content: contentItems
    }),
    collabAgentToolCall: ({ agentsStates = {}, status }) => ({
      status: done(status),
      text: statesText(agentsStates) || (done(status) === "ok" ? "" : wordsOfStates(agentsStates)),
      content: agentsStates
    }),
    webSearch: ({ action, query, results }) => ({
      status: "ok",
      text: [firstText(query, wordsIn(action), queriesOf(action).join("\n")), wordsIn(results)]
        .filter((part) => part !== undefined).join("\n"),
      ...(results !== undefined && { content: results })
    }),
    imageView: ({ path }) => ({ status: "ok", text: path }),
    imageGeneration: ({ failure, result, savedPath, status }) => {
      const text = savedPath ?? wordsIn(failure) ?? shown(failure)
      const data = savedPath === undefined ? firstText(result) : undefined
      return {
        status: done(status),
        ...(text !== undefined && { text }),
        ...(data !== undefined && {
          content: [{ type: "image", source: { type: "base64", media_type: "image/png", data } }]
        })
      }
    },
    functionCallOutput: ({ output }) => {
      // A list without words has images, or what is encrypted.
      const text = wordsIn(output) ?? (Array.isArray(output) ? undefined : shown(output))
      return {
        status: word(!Predicate.hasProperty(output, "success") || output.success !== false),
        ...(text !== undefined && { text }),
        ...(output !== undefined && { content: output })
      }
    },
    sleep: ({ durationMs }) => ({
      status: "ok",
      ...(durationMs !== undefined && { text: `${durationMs / 1000} s` })
    })
  })
)

const isDeclined = (item: ToolItem) => "status" in item && item.status === "declined"

/** The result and the changed files. `reason`: why it was declined, if known. */
export const resultsOf = (
  item: ToolItem,
  /** The id clients know it by. */
  tool_use_id: string,
  reason = "It was not allowed."
): ReadonlyArray<BodyOf<"tool_result" | "file_diff">> => {
  const result: BodyOf<"tool_result"> = {
    type: "tool_result",
    tool_use_id,
    tool: toolOf(item),
    ...resultOf(item),
    ...(isDeclined(item) && { text: reason, content: reason })
  }
  return item.type === "fileChange" && item.status === "completed"
    ? [result, ...toFileDiffs(item.changes, tool_use_id)]
    : [result]
}
