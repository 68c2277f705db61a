/**
 * wholeMessage: whole messages of Claude and its tools, which are most of a session's bytes.
 *
 * Such a line is read byte by byte as latin1 (`Encoding`): its texts appear in up to four event fields and
 * need neither decoding nor encoding. A test compares the result with the Schema's.
 */
import { Option, Schema } from "effect"
import { isUtf8 } from "node:buffer"
import { hasUnicodeEscape, standsAt } from "../wire/jsonBytes.js"
import { parseJson } from "../wire/JsonRpc.js"
import { Assistant, User } from "./ClaudeMessage.js"

const beginnings = ["assistant", "user"].map((type) => Buffer.from(`{"type":"${type}",`))

const decode = Schema.decodeUnknownOption(Schema.Union([Assistant, User]))

const ascii = /^[\x00-\x7f]*$/
const isAscii = (id: unknown) => typeof id !== "string" || ascii.test(id)

/** Ids are compared with those of other, decoded messages. */
const hasPlainIds = ({ message, parent_tool_use_id }: Assistant | User): boolean =>
  isAscii(parent_tool_use_id) &&
  message.content.every(({ id, tool_use_id }) => isAscii(id) && isAscii(tool_use_id))

/** A message with latin1 texts; undefined for every line that is something else or has to be decoded. */
export const readWholeMessage = (line: Buffer): Assistant | User | undefined =>
  beginnings.some((beginning) => standsAt(line, 0, beginning)) && isUtf8(line) && !hasUnicodeEscape(line)
    ? Option.getOrUndefined(Option.filter(decode(parseJson(line.toString("latin1"))), hasPlainIds))
    : undefined
