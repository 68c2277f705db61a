/**
 * namedCall: a neutral tool as the calling agent offers it: its own name for it, its own names for the input's fields.
 *
 * Names are found among those agents are known to use, fields by what the offered JSON schema holds, so that another
 * agent, or another version, needs no table of its own.
 */
import type { Offered } from "./Dialect.js"
import { type Json, list, record, sampleOf, string } from "./json.js"
import type { Tool } from "./script.js"

type Kind = Extract<Tool, { readonly kind: string }>["kind"]

const names: Readonly<Record<Kind, ReadonlyArray<string>>> = {
  shell: ["bash", "shell", "run_shell_command", "execute_command"],
  read: ["read", "view", "read_file", "readfile"],
  write: ["write", "create", "write_file", "writefile"],
  edit: ["edit", "replace", "str_replace", "strreplacefile", "str_replace_editor"]
}

const path = ["file_path", "filePath", "path", "absolute_path"]
const fields = {
  path,
  command: ["command", "cmd"],
  content: ["content", "file_text", "contents"],
  old: ["old_string", "oldString", "old_str", "oldText", "old"],
  new: ["new_string", "newString", "new_str", "newText", "new"]
} as const

/** The field of the schema that goes by one of these names. */
const fieldIn = (schema: Json, known: ReadonlyArray<string>): string | undefined =>
  known.find((name) => Object.hasOwn(record(schema.properties), name))

/** The neutral values under the names of the schema, and a sample for whatever else it requires. */
const fill = (schema: Json, values: Json): Json => {
  const given = Object.entries(fields).flatMap(([word, known]) => {
    const name = fieldIn(schema, known)
    return name === undefined || values[word] === undefined ? [] : [[name, values[word]] as const]
  })
  const input: Json = Object.fromEntries(given)
  const required = list(schema.required).map(string).filter((name) => !Object.hasOwn(input, name))
  const others = required.map((name) => {
    const property = record(record(schema.properties)[name])
    if (property.properties !== undefined) return [name, fill(property, values)] as const
    const items = record(property.items)
    return [name, items.properties === undefined ? sampleOf(property) : [fill(items, values)]] as const
  })
  return { ...input, ...Object.fromEntries(others) }
}

export const namedCall = (
  tool: Tool,
  offered: Offered
): { readonly name: string; readonly input: object } => {
  if ("name" in tool) return tool
  const known = names[tool.kind]
  const found = known.flatMap((name) => [...offered].filter(([own]) => own.toLowerCase() === name))[0]
  if (found === undefined) {
    throw new Error(`the agent offers no tool to ${tool.kind}: it has ${[...offered.keys()].join(", ")}`)
  }
  const [name, schema] = found
  const { escalate: _, kind: __, ...values } = { escalate: undefined, ...tool }
  return { name, input: fill(schema, values) }
}
