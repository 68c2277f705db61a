/** contractFiles: the files that are made from the schemas, as they ought to be. `npm run contracts` writes them. */
import { agents } from "../../src/adapters/agents.js"
import { contracts } from "../../src/schema/contracts/index.js"
import { definitionsAt, type Json } from "../../src/schema/contracts/jsonSchema.js"
import { policySchema } from "../../src/schema/contracts/policySchema.js"

const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value)
const list = (value: unknown): ReadonlyArray<unknown> => Array.isArray(value) ? value : []

const prefix = "#/"

/** A JSON Schema as a type of TypeScript. */
const toType = (schema: unknown, indent = ""): string => {
  if (!isObject(schema)) return "unknown"
  const { additionalProperties, anyOf, enum: words, items, properties, type } = schema
  // Never there.
  if (isObject(schema["not"]) && Object.keys(schema["not"]).length === 0) return "never"
  if (typeof schema["$ref"] === "string") return schema["$ref"].slice(prefix.length)
  if (words !== undefined) return list(words).map((word) => JSON.stringify(word)).join(" | ")
  if (anyOf !== undefined) return [...new Set(list(anyOf).map((one) => toType(one, indent)))].join(" | ")
  if (type === "array") {
    const [first, ...more] = list(items)
    if (first === undefined) return `ReadonlyArray<${toType(items, indent)}>`
    const rest = schema["additionalItems"]
    const fixed = [first, ...more].map((one) => toType(one, indent))
    return `readonly [${
      [...fixed, ...(rest === undefined ? [] : [`...Array<${toType(rest, indent)}>`])].join(", ")
    }]`
  }
  if (type === "object") {
    const entries = Object.entries(isObject(properties) ? properties : {})
    const required = new Set(list(schema["required"]))
    const rest = isObject(additionalProperties) ? toType(additionalProperties, indent) : "unknown"
    if (entries.length === 0) return `{ readonly [name: string]: ${rest} }`
    const deeper = `${indent}  `
    const lines = entries.map(([name, one]) =>
      `${deeper}readonly ${name}${required.has(name) ? "" : "?"}: ${toType(one, deeper)}\n`
    )
    if (isObject(additionalProperties)) lines.push(`${deeper}readonly [name: string]: ${rest}\n`)
    return `{\n${lines.join("")}${indent}}`
  }
  return type === "integer" ? "number" : typeof type === "string" ? type : "unknown"
}

const declaration = ([name, schema]: readonly [string, Json]): string => {
  const { description } = schema
  const comment = typeof description === "string" ? `/** ${description} */\n` : ""
  const { description: _, ...bare } = schema
  const type = toType(bare)
  return type.startsWith("{\n") && bare["anyOf"] === undefined
    ? `${comment}export interface ${name} ${type}\n`
    : `${comment}export type ${name} = ${type}\n`
}

const wire = () =>
  `/**
 * wire: the protocol's frames as plain types, made from the schemas by \`npm run contracts\`: who talks to a relay needs no
 * Effect to compile.
 */

${Object.entries(definitionsAt(prefix)).map(declaration).join("\n")}`

/** What pages know of agents, with neither Effect nor the adapters: one line for each name. */
const pageAgents = (): string => {
  const lines = agents.flatMap(({ aliases = [], edits_input, label, name, start_modes, tool }) => {
    const facts = [
      `label: ${JSON.stringify(label ?? name)}`,
      ...(start_modes === undefined
        ? []
        : [`start_modes: [${start_modes.map((mode) => JSON.stringify(mode)).join(", ")}]`]),
      ...(edits_input === true ? ["edits_input: true"] : [])
    ]
    const text = (key: string) => {
      const line = `  [${JSON.stringify(key)}, { ${facts.join(", ")} }]`
      return line.length < 110 ? line : `  [${JSON.stringify(key)}, {\n    ${facts.join(",\n    ")}\n  }]`
    }
    return [tool, ...aliases].map(text)
  })
  return `/**
 * agents: what pages know about agents, generated from their descriptors (src/adapters/agents.ts) by
 * \`npm run contracts\`.
 */
export interface AgentCalled {
  /** What a person calls it. */
  readonly label: string
  /** The permission modes it takes when it starts. */
  readonly start_modes?: ReadonlyArray<string>
  /** It runs what a person has made of a tool's input; the others deny the call then. */
  readonly edits_input?: true
}

const byName: ReadonlyMap<string, AgentCalled> = new Map<string, AgentCalled>([
${lines.join(",\n")}
])

/** By its \`tool\`; undefined for a program the relay does not know. */
export const agentCalled = (tool: string): AgentCalled | undefined => byName.get(tool)
`
}

/** Each file's text by its path. */
export const contractFiles = (): Readonly<Record<string, string>> => ({
  ...Object.fromEntries(
    Object.entries(contracts).map(([name, make]) => [
      `contracts/${name}`,
      JSON.stringify(make(), null, 2) + "\n"
    ])
  ),
  "contracts/policy.schema.json": JSON.stringify(policySchema(), null, 2) + "\n",
  "src/client/wire.ts": wire(),
  "src/messages/agents.ts": pageAgents()
})
