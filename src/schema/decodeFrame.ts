/**
 * decodeFrame: text frames from clients, decoded strictly, once, at the edge.
 *
 * An error is one sentence that names the field and says what to put there. It never quotes a value, which may be secret.
 */
import { Result, Schema, type SchemaIssue } from "effect"
import * as Command from "./ClientCommand.js"
import type { ClientCommand } from "./ClientCommand.js"
import { type ContentBlock, isSilent } from "./ContentBlock.js"
import { type Sentences, sentencesOf } from "./fields.js"
import { Handshake } from "./Handshake.js"
import { MessageId } from "./Ids.js"
import { defaultBounds, type Fields, type JsonBounds, oddity, parseBounded } from "./parseFields.js"
import { PermissionAnswer, toPermissionResponse } from "./Permission.js"

/** An invalid frame. `problem` is for people; `message_id` is the frame's own, if it could be read. */
export interface BadFrame {
  readonly problem: string
  readonly message_id?: string
}

/** The place of an error in the frame, and what belongs there; `message` is undefined if the field is missing. */
interface Wrong {
  readonly path: ReadonlyArray<PropertyKey>
  readonly message: string | undefined
}

/** The first error, in the words of the outermost schema that has any. */
const firstWrong = (issue: SchemaIssue.Issue, path: ReadonlyArray<PropertyKey> = []): Wrong => {
  switch (issue._tag) {
    case "Pointer":
      return firstWrong(issue.issue, [...path, ...issue.path])
    case "MissingKey":
      return { path, message: undefined }
    case "Filter": {
      const { sentence } = (issue.filter.annotations ?? {}) as Sentences // Annotations are unknown to their readers.
      return sentence === undefined ? firstWrong(issue.issue, path) : { path, message: sentence }
    }
    case "InvalidValue":
    case "Forbidden":
      return { path, message: issue.annotations?.message ?? notUnderstood }
  }
  const { ownSentence, sentence } = sentencesOf(issue.ast)
  if (sentence !== undefined) return { path, message: sentence }
  switch (issue._tag) {
    case "Encoding":
      return firstWrong(issue.issue, path)
    case "Composite":
    case "AnyOf": {
      const [first] = issue.issues
      return first === undefined ? { path, message: ownSentence ?? notUnderstood } : firstWrong(first, path)
    }
  }
  return { path, message: ownSentence ?? notUnderstood }
}
const notUnderstood = "the frame is not valid"

/** Decodes a value; an error names the field and what to put there. */
const decodeWith = <A, I>(schema: Schema.Codec<A, I>) => {
  const decode = Schema.decodeUnknownResult(schema)
  const read = (fields: Fields, missing = ""): Result.Result<A, string> =>
    Result.orElse(decode(fields), (error) => {
      const { message, path } = firstWrong(error.issue)
      const field = path.map(String).join(".")
      // What belongs into a missing field is what its schema says when it holds nothing.
      if (message === undefined && missing === "") {
        return read({ ...fields, [field]: undefined }, "is missing: it ")
      }
      const said = message ?? notUnderstood
      return Result.fail(field === "" ? said : `\`${field}\` ${missing}${said}`)
    })
  return (fields: Fields) => read(fields)
}

/** Decodes the handshake in the first frame. */
export const decodeHandshake = (
  frame: string,
  bounds: JsonBounds = defaultBounds
): Result.Result<Handshake, string> => {
  const fields = parseBounded(frame, bounds)
  if (typeof fields === "string") return Result.fail(fields)
  if (fields === undefined) {
    return Result.fail(
      "the first frame must be the handshake, a JSON object such as {\"tool\":\"claude\",\"folder\":\".\"}"
    )
  }
  const odd = oddity(fields)
  return odd === undefined ? readHandshake(fields) : Result.fail(odd)
}
/** Decodes a handshake that did not come as a frame. */
export const readHandshake = decodeWith(Handshake)

const emptyPrompt = "the prompt is empty: add some text or an image"

const toBlocks = (
  content: ReadonlyArray<ContentBlock>
): Result.Result<Command.UserMessage["content"], string> => {
  const [first, ...others] = content
  return first === undefined || isSilent(content)
    ? Result.fail(emptyPrompt)
    : Result.succeed([first, ...others])
}

const toPrompt = (
  content: ReadonlyArray<ContentBlock>,
  rest: Omit<Command.UserMessage, "type" | "content">
): Result.Result<ClientCommand, string> =>
  Result.map(toBlocks(content), (content) => ({ type: "user_message", content, ...rest }))

const textBlocks = (text: string): ReadonlyArray<ContentBlock> => text === "" ? [] : [{ type: "text", text }]

const readShortPrompt = decodeWith(Command.ShortPrompt)
const readLongPrompt = decodeWith(Command.LongPrompt)
const readAnswer = decodeWith(PermissionAnswer)
const readLongSchedule = decodeWith(Command.LongSchedule)

const readers: Record<string, (fields: Fields) => Result.Result<ClientCommand, string>> = {
  user_message: (fields) =>
    Result.flatMap(
      readLongPrompt(fields),
      ({ content, images = [], type: _, ...rest }) =>
        toPrompt([...typeof content === "string" ? textBlocks(content) : content, ...images], rest)
    ),
  permission_response: (fields) => Result.map(readAnswer(fields), toPermissionResponse),
  interrupt: decodeWith(Command.Interrupt),
  set_model: decodeWith(Command.SetModel),
  set_permission_mode: decodeWith(Command.SetPermissionMode),
  set_approval_policy: (fields) =>
    readMode({
      ...fields,
      type: "set_permission_mode",
      mode: fields["mode"] ?? fields["approval_policy"] ?? fields["approvalPolicy"] ?? fields["policy"]
    }),
  control_request: decodeWith(Command.ControlRequest),
  control_response: decodeWith(Command.ControlResponse),
  raw_request: decodeWith(Command.RawRequest),
  resize: decodeWith(Command.Resize),
  stdin: decodeWith(Command.Stdin),
  cancel_queued: decodeWith(Command.CancelQueued),
  hand_over: decodeWith(Command.HandOver),
  take_over: decodeWith(Command.TakeOver),
  set_budget: decodeWith(Command.SetBudget),
  set_on_limit: decodeWith(Command.SetOnLimit),
  schedule: (fields) =>
    Result.flatMap(
      readLongSchedule(fields),
      ({ content, images = [], ...rest }) =>
        Result.map(
          toBlocks([...typeof content === "string" ? textBlocks(content) : content, ...images]),
          (content) => ({ ...rest, content })
        )
    ),
  change_schedule: decodeWith(Command.ChangeSchedule),
  remove_schedule: decodeWith(Command.RemoveSchedule),
  rewind: decodeWith(Command.Rewind),
  undo_rewind: decodeWith(Command.UndoRewind),
  drive: decodeWith(Command.Drive),
  drive_response: decodeWith(Command.DriveResponse),
  suggest: decodeWith(Command.Suggest),
  suggestion_response: decodeWith(Command.SuggestionResponse),
  end: decodeWith(Command.End),
  ping: decodeWith(Command.Ping)
}
const readMode = decodeWith(Command.SetPermissionMode)
const known = Object.keys(readers).join(", ")

/** Decodes a command that did not come as a frame. */
export const readCommand = (fields: Fields): Result.Result<ClientCommand, string> => {
  const odd = oddity(fields)
  if (odd !== undefined) return Result.fail(odd)
  const { type } = fields
  if (type === undefined || type === null) {
    return fields["text"] === undefined
      ? Result.fail(`\`type\` is missing: send {"text":"…"} for a prompt, or one of ${known}`)
      : Result.flatMap(
        readShortPrompt(fields),
        ({ text, images = [], ...rest }) => toPrompt([...textBlocks(text), ...images], rest)
      )
  }
  const read = typeof type === "string" && Object.hasOwn(readers, type) ? readers[type] : undefined
  return read === undefined ? Result.fail(`\`type\` must be one of ${known}`) : read(fields)
}

const isMessageId = Schema.is(MessageId)

/** Decodes a command in any later frame. A frame that is not a JSON object is a prompt. */
export const decodeFrame = (
  frame: string,
  bounds: JsonBounds = defaultBounds
): Result.Result<ClientCommand, BadFrame> => {
  const fields = parseBounded(frame, bounds)
  if (typeof fields === "string") return Result.fail({ problem: fields })
  if (fields === undefined) {
    return Result.mapError(toPrompt(textBlocks(frame), {}), (problem) => ({ problem }))
  }
  const { message_id } = fields
  return Result.mapError(readCommand(fields), (problem) => ({
    problem,
    ...(isMessageId(message_id) && { message_id })
  }))
}
