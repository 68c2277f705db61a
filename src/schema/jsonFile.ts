/**
 * jsonFile: reads the JSON of a file that a person writes. A problem is a part of a sentence: where it is, and what belongs there.
 * Values are never quoted, since one may be secret.
 */
import { Result, Schema, SchemaIssue } from "effect"
import { messageOf } from "./messageOf.js"

/** The value in the text. Some editors on Windows begin a file with a byte order mark. */
export const parseJson = (text: string): Result.Result<unknown, string> => {
  const json = text.replace(/^\uFEFF/, "")
  return Result.mapError(Result.try(() => JSON.parse(json) as unknown), (cause) => {
    const [, position] = /at position (\d+)/.exec(messageOf(cause)) ?? []
    const line = position === undefined
      ? ""
      : ` (line ${json.slice(0, Number(position)).split("\n").length})`
    return `is not valid JSON${line}`
  })
}

const format = SchemaIssue.makeFormatterStandardSchemaV1()

/** `"paths" of no. 2 of "rules"`; items are counted from 1. */
const placeOf = (path: ReadonlyArray<PropertyKey>): string =>
  path.map((part) => typeof part === "number" ? `no. ${part + 1}` : JSON.stringify(String(part)))
    .toReversed().join(" of ")

const nouns: Readonly<Record<string, string>> = {
  array: "a list",
  object: "an object",
  string: "a text",
  boolean: "true or false",
  number: "a number",
  "a finite number": "a number"
}

/** What the schema's own message expects, in words. */
const expectedIn = (message: string): string => {
  if (message === "Missing key") return "is missing"
  const [, what = ""] = /^Expected (.*)$/s.exec(message) ?? []
  if (what === "") return "is not valid"
  if (what === "no excess property") return "is not known here: remove it, or correct its spelling"
  if (what === "a value with a length of at least 1") return "must not be empty"
  const [, least] = /^a value greater than or equal to (\S+)$/.exec(what) ?? []
  if (least !== undefined) return `must be ${least} or more`
  const choices = what.split(" | ")
  return choices.length > 1
    ? `must be ${choices.slice(0, -1).join(", ")} or ${choices.at(-1)}`
    : `must be ${nouns[what] ?? what}`
}

/** Reads a value. The text of a failure names the first problem; `it` is the whole file. */
export const jsonReader = <A, I>(
  schema: Schema.Codec<A, I>,
  { onUnknown = "error" }: { readonly onUnknown?: "error" | "ignore" } = {}
) => {
  const decode = Schema.decodeUnknownResult(schema, { onExcessProperty: onUnknown })
  return (text: string): Result.Result<A, string> =>
    Result.flatMap(
      Result.mapError(parseJson(text), (problem) =>
        `it ${problem}, which has no comments and no trailing commas`),
      (value) =>
        Result.mapError(decode(value), ({ issue }) => {
          const [first] = format(issue).issues
          const path = first?.path?.map((part) =>
            typeof part === "object" ? part.key : part
          ) ?? []
          return `${path.length === 0 ? "it" : placeOf(path)} ${expectedIn(first?.message ?? "")}`
        })
    )
}
