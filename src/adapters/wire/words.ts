/**
 * words: what a native message says to people, wherever it says it. A client that asked for no `raw` must not lose a
 * word that was meant for its user.
 */
import { Predicate } from "effect"
import type { NativeBlock } from "../../schema/ContentBlock.js"

/** Only ASCII spaces count as nothing: a text may be the bytes of UTF-8 (`Encoding`), where others look different. */
const isText = (value: unknown): value is string => typeof value === "string" && /[^ \t\r\n]/.test(value)

/** Fields that hold words. */
const speaking = [
  "headline",
  "heading",
  "title",
  "subtitle",
  "subject",
  "text",
  "message",
  "error",
  "errors",
  "output",
  "summary",
  "description",
  "explanation",
  "suggestion",
  "suggestions",
  "question",
  "content",
  "reason",
  "warning",
  "warnings",
  "notice",
  "detail",
  "details",
  "delta",
  "body",
  "stdout",
  "stderr",
  "caption",
  "label",
  "note",
  "notes",
  "tip",
  "tips",
  "hint",
  "hints",
  "advice",
  "guidance",
  "instructions",
  "comment",
  "announcement",
  "answer",
  "refusal",
  "markdown",
  "result"
]

/** And those that say of what: `tool_summary`, `statusMessage`. */
const speaksOf =
  /(?:_(?:message|text|summary|description|error)|[a-z](?:Message|Text|Summary|Description|Error))$/

/** Deeper than this nobody has put words for people. */
const deepest = 5

const joined = (texts: ReadonlyArray<string>): string | undefined => {
  // What stands in one of them is not said again.
  const news = texts.filter((text, index) =>
    !texts.some((other, place) =>
      place !== index && other.includes(text) && (other !== text || place < index)
    )
  )
  return news.length > 0 ? news.join("\n") : undefined
}

const withoutTexts = (field: unknown) =>
  Array.isArray(field) ? field.filter((entry) => typeof entry === "object") : field

const find = (value: unknown, depth: number): string | undefined => {
  if (isText(value)) return value
  if (depth === 0 || typeof value !== "object" || value === null) return undefined
  if (Array.isArray(value)) return joined(value.flatMap((entry) => find(entry, depth - 1) ?? []))
  const fields = value as Readonly<Record<string, unknown>> // Neither null nor a list.
  // Texts in lists of another name are paths, ids, names of tools.
  const nested = () =>
    Object.entries(fields).flatMap(([name, field]) => name === "_meta" ? [] : [withoutTexts(field)])
      .filter((field) => typeof field === "object")
  const names = [...speaking, ...Object.keys(fields).filter((name) => speaksOf.test(name))]
  const said = joined(
    names.flatMap((name) => Object.hasOwn(fields, name) ? find(fields[name], depth - 1) ?? [] : [])
  )
  return said ?? joined(nested().flatMap((field) => find(field, depth - 1) ?? []))
}

/** What a value says, if it says something: a text, a list of such, or the fields of an object that hold words. */
export const wordsIn = (value: unknown): string | undefined => find(value, deepest)

/** Where a message that has words of its own elsewhere says something besides. */
const besides = ["message", "text", "notice", "reason", "error", "errors", "warning", "warnings", "detail"]

/** What a message says beside what it is for. */
export const wordsBeside = (message: unknown): string | undefined => {
  if (typeof message !== "object" || message === null) return undefined
  const fields = message as Readonly<Record<string, unknown>> // See before.
  return wordsIn(besides.map((name) => Object.hasOwn(fields, name) ? fields[name] : undefined))
}

/** The first of these that is a text with something in it. */
export const firstText = (...values: ReadonlyArray<unknown>): string | undefined => values.find(isText)

/** A text as it is, anything else as JSON; undefined for nothing. */
export const shown = (value: unknown): string | undefined =>
  value === undefined || value === null
    ? undefined
    : typeof value === "string"
    ? value
    : JSON.stringify(value)

/** Blocks that say nothing to people, or are told by events of their own. */
const silent = /^(thinking|redacted_thinking|image|audio|.*tool_use|.*tool_result)$/

const resourceWords = (resource: unknown): string => {
  if (!Predicate.isObject(resource)) return ""
  return firstText(resource["text"], resource["uri"]) ?? ""
}

/** What a block of a known kind says: its text, that of a file it holds, or where the file is. */
export const plainWordsOf = (block: NativeBlock): string => {
  const { resource, text, type } = block
  if (silent.test(type)) return ""
  if (typeof text === "string") return text
  if (type === "resource") return resourceWords(resource)
  if (type === "resource_link") {
    const name = firstText(block["title"], block["name"])
    const uri = firstText(block["uri"])
    return name === undefined || name === uri ? uri ?? "" : uri === undefined ? name : `${name} (${uri})`
  }
  return type === "text" ? "" : firstText(block["content"], block["refusal"], block["markdown"]) ?? ""
}

/** All of its words: those in other fields too, beside a title. */
const wordsAround = (fields: Readonly<Record<string, unknown>>): string => {
  const others = Object.entries(fields).filter(([name]) => name !== "_meta" && !speaking.includes(name))
    .map(([, field]) => withoutTexts(field)).filter((field) => typeof field === "object")
  return joined([fields, ...others].flatMap((part) => wordsIn(part) ?? [])) ?? ""
}

/** What a block says, of whatever kind it is. */
export const wordsOf = (block: NativeBlock): string => {
  const { type, ...fields } = block
  const plain = plainWordsOf(block)
  return plain !== "" || type === "text" || silent.test(type) ? plain : wordsAround(fields)
}

export const textOfBlocks = (blocks: ReadonlyArray<NativeBlock>): string => blocks.map(wordsOf).join("")
