/**
 * models: the models a page can offer its user, spelled as in Claude.
 */
import { Option, Schema } from "effect"
import { text } from "./CodexMessage.js"

const readModels = Schema.decodeUnknownOption(Schema.Struct({
  data: Schema.Array(Schema.Struct({
    model: Schema.String,
    displayName: text,
    description: text,
    hidden: Schema.optional(Schema.Boolean)
  }))
}))

const commands = [
  { name: "compact", description: "Summarize the conversation to free up context", argumentHint: "" }
]

/** Converts the answer to `model/list`. */
export const toOffer = (answer: unknown): Readonly<Record<string, unknown>> => ({
  commands,
  models: Option.match(readModels(answer), {
    onNone: () => [],
    onSome: ({ data }) =>
      data.filter(({ hidden }) => hidden !== true).map(({ description = "", displayName, model }) => ({
        value: model,
        displayName: displayName ?? model,
        description
      }))
  })
})
