/**
 * refusal: interprets an agent's errors.
 *
 * The code is one of JSON-RPC, of the protocol, or (Gemini) the model API's HTTP status; claude-agent-acp
 * gives the kind in `data.errorKind`. Readable text may be in the message or in the data.
 */
import { Predicate } from "effect"
import { type JsonRpcError, parseJson } from "../wire/JsonRpc.js"
import { wordsIn } from "../wire/words.js"

/** What an error says; one that was told as a message has the code 0. */
export type Refusal = Pick<JsonRpcError, "code" | "reason"> & Partial<Pick<JsonRpcError, "detail">>

/** The protocol's own codes: a login is needed, a request was cancelled. */
export const codes = { authRequired: -32000, cancelled: -32800 } as const

export const errorKindOf = ({ detail }: Refusal): string | undefined =>
  Predicate.hasProperty(detail, "errorKind") && typeof detail.errorKind === "string"
    ? detail.errorKind
    : undefined

const limited = new Set(["rate_limit", "overloaded", "billing_error"])
const limitCodes = new Set([402, 429, 529])
const saysLimit =
  /\b(rate limit|(usage|session|weekly|spending) limit|credit balance is too low|overloaded|too many requests)|quota/i
const saysTooLong =
  /exceeds the maximum number of tokens|(prompt|input) is too long|maximum prompt length|context (window|length|limit)/i

/** A rate limit, a quota, or an account without credit. */
export const isLimit = (error: Refusal): boolean => {
  const kind = errorKindOf(error)
  return kind === undefined
    ? limitCodes.has(error.code) || saysLimit.test(reasonOf(error))
    : limited.has(kind)
}

/** A limit that will reset, unlike an empty account or a busy server. */
export const isUsedUp = (error: Refusal): boolean => {
  const kind = errorKindOf(error)
  return kind === undefined
    ? error.code === 429 || (isLimit(error) && !passing.test(reasonOf(error)) && error.code !== 402)
    : kind === "rate_limit"
}
const passing = /\b(overloaded|billing|payment|credit)/i

export const isTooLong = (error: Refusal): boolean => saysTooLong.test(reasonOf(error))

/** Many agents pass on only what the model API said about their key. */
const saysLogin =
  /\b(?:incorrect|invalid|missing) (?:x-)?api[- ]key|^401\b|\b(?:HTTP|status|code|error):? \(?401\b|\bunauthori[sz]ed\b|\bauthentication (?:failed|required)|\bnot (?:logged|signed) in\b|\b(?:token|login|credentials?) (?:has |have |is |are )?expired\b/i

export const wantsLogin = (error: Refusal): boolean => {
  const kind = errorKindOf(error)
  return error.code === codes.authRequired || error.code === 401 || kind === "authentication_failed"
    || (kind === undefined && !isLimit(error) && saysLogin.test(reasonOf(error)))
}

/** The message of a model API's error, if the agent passes on the original JSON. */
const innerMessage = (text: string): string | undefined => {
  const found = /"message"\s*:\s*("(?:[^"\\]|\\.)*")/.exec(text)?.[1]
  const message = found === undefined ? undefined : parseJson(found)
  return typeof message === "string" ? message : undefined
}

/** The text to show. "Internal error" and "Invalid params" say nothing; then the data has the reason. */
export const reasonOf = ({ detail, reason }: Refusal): string => {
  const details = Predicate.hasProperty(detail, "details") ? detail.details : detail
  const said = reason.replace(/^(internal error|invalid params):?\s*/i, "")
  return innerMessage(said) ?? wordsIn([said, details]) ?? reason
}

/** A reason and its advice as one text. */
export const withAdvice = (reason: string, advice: string): string =>
  `${reason.replace(/[.\s]+$/, "")}. ${advice}`
