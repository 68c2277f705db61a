/**
 * decodeFrame: text frames from clients, decoded strictly, once, at the edge.
 *
 * What is wrong comes back as one sentence that names the field and says what to put there. It never quotes a value:
 * a frame may hold a secret.
 */
import { Either, ParseResult, Schema } from "effect"
import * as Command from "./ClientCommand.js"
import type { ClientCommand } from "./ClientCommand.js"
import { type ContentBlock, textOf } from "./ContentBlock.js"
import { Handshake } from "./Handshake.js"
import { PermissionAnswer, toPermissionResponse } from "./Permission.js"

/** A frame that is no command. `problem` is for people; `message_id` is the frame's own, when it could be read. */
export interface BadFrame {
  readonly problem: string
  readonly message_id?: string
}

type Fields = Readonly<Record<string, unknown>>

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The first thing wrong, as `field` and what to put there. */
const describe = (error: ParseResult.ParseError): string => {
  const [issue] = ParseResult.ArrayFormatter.formatErrorSync(error)
  if (issue === undefined) return "is not understood"
  const field = issue.path.map(String).join(".")
  if (field === "") return issue.message
  return issue._tag === "Missing" ? `\`${field}\` is missing` : `\`${field}\` ${issue.message}`
}

const decodeWith = <A, I>(schema: Schema.Schema<A, I>) => {
  const decode = Schema.decodeUnknownEither(schema)
  return (value: unknown): Either.Either<A, string> => Either.mapLeft(decode(value), describe)
}

/** The handshake, out of the first frame. */
export const decodeHandshake = (frame: string): Either.Either<Handshake, string> => {
  const fields = parseJson(frame)
  return isFields(fields)
    ? readHandshake(fields)
    : Either.left(
      "the first frame must be the handshake, a JSON object such as {\"tool\":\"claude\",\"folder\":\".\"}"
    )
}
const readHandshake = decodeWith(Handshake)

const emptyPrompt = "the prompt is empty: put some text or an image into it"

const toPrompt = (
  content: ReadonlyArray<ContentBlock>,
  rest: Omit<Command.UserMessage, "type" | "content">
): Either.Either<ClientCommand, string> => {
  const [first, ...others] = content
  const silent = textOf(content).trim() === "" && !content.some((block) => block.type === "image")
  return first === undefined || silent
    ? Either.left(emptyPrompt)
    : Either.right({ type: "user_message", content: [first, ...others], ...rest })
}

const textBlocks = (text: string): ReadonlyArray<ContentBlock> => text === "" ? [] : [{ type: "text", text }]

const readShortPrompt = decodeWith(Command.ShortPrompt)
const readLongPrompt = decodeWith(Command.LongPrompt)
const readAnswer = decodeWith(PermissionAnswer)

const readers: Record<string, (fields: Fields) => Either.Either<ClientCommand, string>> = {
  user_message: (fields) =>
    Either.flatMap(
      readLongPrompt(fields),
      ({ content, images = [], type: _, ...rest }) =>
        toPrompt([...typeof content === "string" ? textBlocks(content) : content, ...images], rest)
    ),
  permission_response: (fields) => Either.map(readAnswer(fields), toPermissionResponse),
  interrupt: decodeWith(Command.Interrupt),
  set_model: decodeWith(Command.SetModel),
  set_permission_mode: decodeWith(Command.SetPermissionMode),
  set_approval_policy: (fields) =>
    readMode({ mode: fields["approval_policy"] ?? fields["policy"], ...fields, type: "set_permission_mode" }),
  control_request: decodeWith(Command.ControlRequest),
  control_response: decodeWith(Command.ControlResponse),
  raw_request: decodeWith(Command.RawRequest),
  resize: decodeWith(Command.Resize),
  stdin: decodeWith(Command.Stdin),
  cancel_queued: decodeWith(Command.CancelQueued),
  end: decodeWith(Command.End),
  ping: decodeWith(Command.Ping)
}
const readMode = decodeWith(Command.SetPermissionMode)
const known = Object.keys(readers).join(", ")

const readFields = (fields: Fields): Either.Either<ClientCommand, string> => {
  const { type } = fields
  if (type === undefined) {
    return fields["text"] === undefined
      ? Either.left(`\`type\` is missing: send {"text":"…"} for a prompt, or one of ${known}`)
      : Either.flatMap(
        readShortPrompt(fields),
        ({ text, images = [], ...rest }) => toPrompt([...textBlocks(text), ...images], rest)
      )
  }
  const read = typeof type === "string" && Object.hasOwn(readers, type) ? readers[type] : undefined
  return read === undefined ? Either.left(`\`type\` must be one of ${known}`) : read(fields)
}

/** A command, out of any later frame. A frame that is not a JSON object is a prompt. */
export const decodeFrame = (frame: string): Either.Either<ClientCommand, BadFrame> => {
  const fields = parseJson(frame)
  if (!isFields(fields)) return Either.mapLeft(toPrompt(textBlocks(frame), {}), (problem) => ({ problem }))
  const { message_id } = fields
  return Either.mapLeft(readFields(fields), (problem) => ({
    problem,
    ...(typeof message_id === "string" && { message_id })
  }))
}
