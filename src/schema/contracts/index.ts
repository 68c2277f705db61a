/** The contracts: the protocol for other languages, generated from the schemas. */
import { asyncApi } from "./asyncApi.js"
import { type Json, jsonSchema } from "./jsonSchema.js"
import { openApi } from "./openApi.js"

/** How to make each document, by its file name. */
export const contracts = {
  "schema.json": jsonSchema,
  "asyncapi.json": asyncApi,
  "openapi.json": openApi
} satisfies Readonly<Record<string, () => Json>>
