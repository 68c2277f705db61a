/** policySchema: the JSON Schema of the operator's rules (`--policy FILE`), for editors. `services/policy/Policy.ts` reads them. */
import type { Json } from "./jsonSchema.js"

const words = (description: string): Json => ({
  type: "array",
  items: { type: "string", minLength: 1 },
  description
})

export const policySchema = (): Json => ({
  $schema: "http://json-schema.org/draft-07/schema#",
  title: "ai-relay policy",
  description:
    "What agents may do without asking, and what they may never do. The first matching rule decides.",
  type: "object",
  required: ["rules"],
  additionalProperties: false,
  properties: {
    $schema: { type: "string" },
    rules: {
      type: "array",
      items: {
        type: "object",
        required: ["name", "verdict"],
        additionalProperties: false,
        properties: {
          name: {
            type: "string",
            minLength: 1,
            description: "A unique name, journaled with each verdict."
          },
          verdict: { type: "string", enum: ["allow", "ask", "deny"] },
          kinds: {
            type: "array",
            items: { type: "string", enum: ["execute", "edit", "read", "fetch", "other"] },
            description: "Kinds of tools. Default: any."
          },
          tools: words("Tools by the agent's own names; * matches anything."),
          commands: {
            type: "array",
            items: { type: "array", items: { type: "string", minLength: 1 }, minItems: 1 },
            description: "Commands by their first words, such as [\"git\", \"status\"]."
          },
          exact: { type: "boolean", description: "The command must have exactly these words." },
          paths: words("Files, after resolving links: absolute, or below {folder}; with * and **."),
          agents: words("Agents by their tool; * matches anything."),
          folders: words("The session's folder; with * and **."),
          by: { type: "string", minLength: 1, description: "Who granted it, for people." },
          until: {
            type: "string",
            minLength: 1,
            description: "An ISO time after which the rule does not count."
          }
        }
      }
    }
  }
})
