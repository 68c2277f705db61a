/**
 * routes: which API a request is meant for, by its path.
 */

import { anthropic } from "./anthropic.js"
import type { ApiName, Dialect, ModelCall } from "./Dialect.js"
import { gemini } from "./gemini.js"
import type { Json } from "./json.js"
import { openai } from "./openai.js"
import { openaiChat } from "./openaiChat.js"

const dialects: ReadonlyArray<Dialect> = [anthropic, openai, openaiChat, gemini]

interface Routed {
  readonly dialect: Dialect
  readonly call: ModelCall
}

export const modelCallOf = (path: string, body: Json): Routed | undefined =>
  dialects.flatMap((dialect) => {
    const call = dialect.read(path, body)
    return call === undefined ? [] : [{ dialect, call }]
  })[0]

interface Answer {
  readonly api: ApiName | undefined
  readonly status: number
  readonly body: Json
}

/** What is no call to the model: a small answer of one of the APIs, or 404 in words that each CLI can read. */
export const otherAnswer = (method: string, path: string): Answer => {
  for (const { api, other } of dialects) {
    const body = other(method, path)
    if (body !== undefined) return { api, status: 200, body }
  }
  const error = { type: "not_found_error", code: 404, status: "NOT_FOUND", message: `no such route: ${path}` }
  return { api: undefined, status: 404, body: { type: "error", error } }
}
