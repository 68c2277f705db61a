/**
 * toolFields: interprets a tool call's fields: name, input, output and changed files.
 */
import { Predicate } from "effect"
import type { NativeBlock } from "../../schema/ContentBlock.js"
import type { BodyOf } from "../../schema/index.js"
import { readBlocks } from "../wire/lenient.js"
import { changedDiff, deletedDiff, isChange, partsDiff } from "../wire/unifiedDiff.js"
import { firstText, shown, textOfBlocks, wordsBeside, wordsIn } from "../wire/words.js"
import type { AcpQuirks } from "./AcpAgent.js"
import type { ToolContent, ToolFields } from "./AcpMessage.js"
import { toNativeBlock } from "./content.js"

/** The programmatic name; without one the kind, which is at least a protocol term. */
export const toolNameOf = (call: ToolFields, quirks: AcpQuirks): string =>
  call.name ?? quirks.toolName?.(call) ?? call.kind ?? call.title ?? "tool"

const isEmptyObject = (value: unknown) => Predicate.isObject(value) && Object.keys(value).length === 0

const pathOf = ({ content = [], locations = [] }: ToolFields): string | undefined =>
  content.find(({ type }) => type === "diff")?.path ?? locations[0]?.path

/** The input as given by the model; otherwise a description in the agent's words. */
export const argsOf = (call: ToolFields, quirks: AcpQuirks): unknown => {
  const { rawInput, title } = call
  if (rawInput !== undefined && !isEmptyObject(rawInput)) return rawInput
  const file_path = pathOf(call)
  const diff = toFileDiffs(call).map(({ diff }) => diff).join("")
  return quirks.toolArgs?.(call)
    ?? {
      ...(title !== undefined && { title }),
      ...(file_path !== undefined && { file_path }),
      // The person asked for permission must see what will change.
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

/** Where agents put a tool's output; the best source first. */
const outputs = ["formatted_output", "aggregated_output", "output", "content", "text", "result"]
/** Where they put why it failed. */
const reasons = ["message", "error"]

const textIn = (value: unknown): string | undefined => {
  if (typeof value === "string") return value === "" ? undefined : value
  if (typeof value === "number" || typeof value === "boolean") return String(value)
  if (Array.isArray(value)) return firstText(textOfBlocks(readBlocks(value)))
  return Predicate.isObject(value) ? wordsIn(value) : undefined
}

/** The tool's output, if the agent keeps it separate from its display. */
const rawText = (rawOutput: unknown): string | undefined => {
  if (!Predicate.isObject(rawOutput) || Array.isArray(rawOutput)) return textIn(rawOutput)
  const found = (names: ReadonlyArray<string>) => names.flatMap((name) => textIn(rawOutput[name]) ?? [])
  const streams = found(["stdout", "stderr"]).join("")
  const [output = streams] = found(outputs)
  const [reason] = found(reasons)
  if (firstText(output) === undefined) return reason
  return reason === undefined || output.includes(reason) ? output : `${output.trimEnd()}\n${reason}`
}

const integerIn = (fields: unknown, ...names: ReadonlyArray<string>): number | undefined => {
  if (!Predicate.isObject(fields)) return undefined
  const values = fields as Readonly<Record<string, unknown>> // An object: see above.
  return names.map((name) => values[name]).find((code): code is number =>
    typeof code === "number" && Number.isSafeInteger(code)
  )
}

const metadataIn = (rawOutput: unknown): unknown =>
  Predicate.hasProperty(rawOutput, "metadata") ? rawOutput.metadata : undefined

const exitCodeOf = ({ _meta, rawOutput }: ToolFields): number | undefined =>
  integerIn(rawOutput, "exit_code", "exitCode", "returnCode", "return_code")
    // OpenCode.
    ?? integerIn(metadataIn(rawOutput), "exit")
    ?? integerIn(_meta?.["terminal_exit"], "exit_code", "exitCode")

const dataOf = (piece: unknown): string | undefined =>
  Predicate.hasProperty(piece, "data") && typeof piece.data === "string" ? piece.data : undefined

/**
 * Everything a command has printed after this update, which either adds a chunk in `_meta` (codex-acp) or
 * repeats all output so far. `ends`: the command's final update.
 */
export const printedAfter = (before: string, { _meta }: ToolFields, ends: boolean): string => {
  const piece = dataOf(_meta?.["terminal_output_delta"])
  if (piece !== undefined) return before + piece
  const output = dataOf(_meta?.["terminal_output"]) ?? ""
  const isAll = output.startsWith(before) && (output.length > before.length || ends)
  return isAll ? output : before + output
}

type Output = Pick<BodyOf<"tool_result">, "content" | "text" | "exit_code">

/** An output without text; only its data if the content shows something else. */
const otherText = (rawOutput: unknown, isAll: boolean): string => {
  if (!Predicate.isObject(rawOutput) || isEmptyObject(rawOutput)) return ""
  const { structuredContent } = rawOutput as { readonly structuredContent?: unknown } // An object: see before.
  return shown(structuredContent) ?? (isAll ? JSON.stringify(rawOutput) : "")
}

/** `printed`: output received in chunks. */
export const outputOf = (fields: ToolFields, printed = ""): Output => {
  const { content = [], rawOutput } = fields
  const blocksShown = blocksOf(content)
  const raw = rawText(rawOutput) ?? firstText(printed)
  const shownText = textOfBlocks(blocksShown)
  const other = otherText(rawOutput, blocksShown.length === 0)
  // Progress shown before does not say why a tool failed.
  const text = raw ?? wordsIn([shownText, wordsBeside(fields)]) ?? other
  // For display, some agents format text as Markdown or show a terminal that does not exist here.
  const dressed = raw !== undefined && blocksShown.every(({ type }) => type === "text" || type === "terminal")
  const blocks: ReadonlyArray<NativeBlock> = dressed ? [{ type: "text", text }] : blocksShown
  const exit_code = exitCodeOf(fields)
  return {
    ...(blocks.length > 0 && { content: blocks }),
    ...(text !== "" && { text }),
    ...(exit_code !== undefined && { exit_code })
  }
}

interface Change {
  readonly path: string
  readonly oldText: string | undefined
  /** Undefined: the file was deleted. */
  readonly newText: string | undefined
  /** First line of the excerpt, if this is an excerpt of the file. */
  readonly line: number | undefined
}

/** Excerpts of files list their lines separately, in the same order. */
const changesOf = ({ content = [], locations = [] }: ToolFields): ReadonlyArray<Change> => {
  const diffs = content.filter(({ type }) => type === "diff")
  const aligned = locations.length === diffs.length
  return diffs.flatMap(({ newText, oldText, path }, index) => {
    const place = aligned ? locations[index] : undefined
    // Without either text, as for a picture, nobody knows the change.
    return path === undefined || (newText === undefined && oldText === undefined)
      ? []
      : [{
        path,
        oldText,
        newText,
        line: place?.path === path ? place.line : undefined
      }]
  })
}

/** Merges two consecutive changes of a whole file. */
const joined = (changes: ReadonlyArray<Change>): ReadonlyArray<Change> =>
  changes.reduce<ReadonlyArray<Change>>((before, change) => {
    const last = before.at(-1)
    const goesOn = last !== undefined && last.line === undefined && change.line === undefined
      && last.newText !== undefined && last.newText === change.oldText
    return goesOn
      ? [...before.slice(0, -1), { ...last, newText: change.newText }]
      : [...before, change]
  }, [])

const diffOf = (path: string, changes: ReadonlyArray<Change>, kind: string | undefined): string => {
  const [first, ...more] = changes
  if (first?.line === undefined && more.length === 0) {
    const { newText, oldText } = first ?? {}
    return newText === undefined || (kind === "delete" && newText === "")
      ? deletedDiff(path, oldText ?? "")
      : changedDiff(path, oldText, newText)
  }
  const parts = changes.map(({ line = 1, newText = "", oldText = "" }) => ({ line, newText, oldText }))
  return partsDiff(path, parts)
}

/** One event per file; `tool_use_id` is the id clients know the call by. */
export const toFileDiffs = (
  call: ToolFields,
  tool_use_id = call.toolCallId
): ReadonlyArray<BodyOf<"file_diff">> => {
  const changes = changesOf(call)
  return [...new Set(changes.map(({ path }) => path))].flatMap((file_path) => {
    const diff = diffOf(file_path, joined(changes.filter(({ path }) => path === file_path)), call.kind)
    return isChange(diff) ? [{ type: "file_diff", file_path, diff, tool_use_id } as const] : []
  })
}
