/**
 * Dialect: what one model API must know how to do so that a script can be played over it.
 *
 * A dialect reads a request into a `ModelCall` and turns a reply or a failure into the frames and bodies its CLIs
 * expect. Pure functions; the server does all the waiting and writing.
 */

import { randomUUID } from "node:crypto"
import type { Entry } from "./Conversation.js"
import type { Json } from "./json.js"
import type { FailOptions, Failure, Reply } from "./script.js"

export type ApiName = "anthropic" | "openai" | "openai-chat" | "gemini"

export type Offered = ReadonlyMap<string, Json>

export interface ModelCall {
  readonly model: string
  readonly stream: boolean
  /** The tools the CLI offers, by name, and the JSON schema of each one's input. */
  readonly offered: Offered
  readonly entries: ReadonlyArray<Entry>
  /** Set for a call that is not the conversation (a title, a quota probe, a router): the text that contents it. */
  readonly side?: string
}

export interface Frame {
  /** The SSE `event:` line. */
  readonly event?: string
  /** A string is written as it is. */
  readonly data: Json | string
  /** A chunk of the answer's text: here a slow stream waits and a cut stream ends. */
  readonly chunk?: true
}

export interface Frames {
  readonly opening: ReadonlyArray<Frame>
  readonly content: ReadonlyArray<Frame>
  readonly closing: ReadonlyArray<Frame>
}

export interface HttpFailure {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body: Json
  /** The same failure told inside an open stream. */
  readonly frame: Frame
  /** This API tells it inside the stream unless the script says otherwise. */
  readonly inStream?: boolean
}

export interface Dialect {
  readonly api: ApiName
  /** A call to the model, or undefined for any other path. */
  readonly read: (path: string, body: Json) => ModelCall | undefined
  readonly frames: (reply: Reply, call: ModelCall) => Frames
  /** The answer to a call that does not stream. */
  readonly whole: (reply: Reply, call: ModelCall) => Json
  readonly failure: (failure: Failure, options: FailOptions) => HttpFailure
  /** Small requests beside the model: token counts, lists of models. */
  readonly other: (method: string, path: string) => Json | undefined
}

/** Anthropic and OpenAI say the type of an event twice. */
export const typedFrame = (type: string, rest: Json, chunk = false): Frame => ({
  event: type,
  data: { type, ...rest },
  ...(chunk ? { chunk } : {})
})

export const newId = (prefix: string) => `${prefix}_${randomUUID().replaceAll("-", "").slice(0, 20)}`
