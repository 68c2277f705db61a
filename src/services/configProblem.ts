/** configProblem: which setting a `Config` could not read, and what it should be, in words. Its value is never quoted. */
import { type Config, SchemaIssue } from "effect"

export interface ConfigProblem {
  /** As it was asked for: a variable's or a field's name. */
  readonly name: string
  readonly problem: string
}

const format = SchemaIssue.makeFormatterStandardSchemaV1()

export const configProblem = ({ cause }: Config.ConfigError): ConfigProblem => {
  if (cause._tag === "SourceError") return { name: "", problem: cause.message }
  const [first] = format(cause.issue).issues
  const path = first?.path?.map((part) => String(typeof part === "object" ? part.key : part)) ?? []
  // What stands in a list is said of the list.
  const name = path.filter((part) => !/^\d+$/.test(part)).join("_")
  return { name, problem: first?.message ?? cause.message }
}
