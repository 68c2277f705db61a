/** toolFields: what the fields of a tool call mean: its name, its input, its output, the files it changed. */
import { Predicate } from "effect"
import type { NativeBlock } from "../../schema/ContentBlock.js"
import type { BodyOf } from "../../schema/index.js"
import { changedDiff, deletedDiff, partsDiff } from "../wire/unifiedDiff.js"
import type { AcpQuirks } from "./AcpAgent.js"
import type { ToolContent, ToolFields } from "./AcpMessage.js"
import { textOfBlocks, toNativeBlock } from "./content.js"

/** Its programmatic name; without one its kind, which is at least a word of the protocol. */
export const toolNameOf = (call: ToolFields, quirks: AcpQuirks): string =>
  call.name ?? quirks.toolName?.(call) ?? call.kind ?? call.title ?? "tool"

const isEmptyObject = (value: unknown) => Predicate.isObject(value) && Object.keys(value).length === 0

const pathOf = ({ content = [], locations = [] }: ToolFields): string | undefined =>
  content.find(({ type }) => type === "diff")?.path ?? locations[0]?.path

/** Its input as the model gave it; else what the call is about, in the agent's words. */
export const argsOf = (call: ToolFields, quirks: AcpQuirks): unknown => {
  const { rawInput, title } = call
  if (rawInput !== undefined && !isEmptyObject(rawInput)) return rawInput
  const file_path = pathOf(call)
  const diff = toFileDiffs(call).map(({ diff }) => diff).join("")
  return quirks.toolArgs?.(call)
    ?? {
      ...(title !== undefined && { title }),
      ...(file_path !== undefined && { file_path }),
      // Who is asked for leave must see what will change.
      ...(diff !== "" && { diff })
    }
}

const blocksOf = (content: ReadonlyArray<ToolContent>): ReadonlyArray<NativeBlock> =>
  content.flatMap((part) =>
    part.type === "content" && part.content !== undefined
      ? [toNativeBlock(part.content)]
      : part.type === "diff"
      ? []
      : [part]
  )

const isBlock = (value: unknown): value is NativeBlock =>
  Predicate.isObject(value) && typeof value["type"] === "string"

/** What the tool printed, where the agent keeps it apart from how it is shown. */
const rawText = (rawOutput: unknown): string | undefined => {
  if (typeof rawOutput === "string") return rawOutput
  const blocks = Array.isArray(rawOutput) ? rawOutput.filter(isBlock) : []
  return blocks.length === 0 ? undefined : textOfBlocks(blocks)
}

const exitCodeOf = (rawOutput: unknown): number | undefined => {
  if (!Predicate.isObject(rawOutput)) return undefined
  const code = rawOutput["exit_code"] ?? rawOutput["exitCode"]
  return typeof code === "number" && Number.isInteger(code) ? code : undefined
}

type Output = Pick<BodyOf<"tool_result">, "content" | "text" | "exit_code">

export const outputOf = ({ content = [], rawOutput }: ToolFields): Output => {
  const shown = blocksOf(content)
  const raw = rawText(rawOutput)
  const text = raw ?? textOfBlocks(shown)
  // For display some agents dress text up as Markdown.
  const dressed = raw !== undefined && raw !== "" && shown.every(({ type }) => type === "text")
  const blocks: ReadonlyArray<NativeBlock> = dressed ? [{ type: "text", text }] : shown
  const exit_code = exitCodeOf(rawOutput)
  return {
    ...(blocks.length > 0 && { content: blocks }),
    ...(text !== "" && { text }),
    ...(exit_code !== undefined && { exit_code })
  }
}

interface Change {
  readonly path: string
  readonly oldText: string | undefined
  readonly newText: string
  /** Where the piece begins, when it is a piece of the file. */
  readonly line: number | undefined
}

/** Pieces of files name their line beside them, in the same order. */
const changesOf = ({ content = [], locations = [] }: ToolFields): ReadonlyArray<Change> => {
  const diffs = content.filter(({ type }) => type === "diff")
  const aligned = locations.length === diffs.length
  return diffs.flatMap(({ newText, oldText, path }, index) => {
    const place = aligned ? locations[index] : undefined
    return path === undefined
      ? []
      : [{ path, oldText, newText: newText ?? "", line: place?.path === path ? place.line : undefined }]
  })
}

const diffOf = (path: string, changes: ReadonlyArray<Change>, kind: string | undefined): string => {
  const [first, ...more] = changes
  if (first?.line === undefined && more.length === 0) {
    const { newText = "", oldText } = first ?? {}
    return kind === "delete" && newText === ""
      ? deletedDiff(path, oldText ?? "")
      : changedDiff(path, oldText, newText)
  }
  const parts = changes.map(({ line = 1, newText, oldText = "" }) => ({ line, newText, oldText }))
  return partsDiff(path, parts)
}

/** One event per file. */
export const toFileDiffs = (call: ToolFields): ReadonlyArray<BodyOf<"file_diff">> => {
  const changes = changesOf(call)
  return [...new Set(changes.map(({ path }) => path))].map((file_path) => ({
    type: "file_diff",
    file_path,
    diff: diffOf(file_path, changes.filter(({ path }) => path === file_path), call.kind),
    tool_use_id: call.toolCallId
  }))
}
