/**
 * ClientCommand: the commands of a client after the handshake, in canonical form.
 *
 * `decodeFrame.ts` turns a text frame, in any of the accepted spellings, into one of these.
 */
import { Schema } from "effect"
import { Budget, OnLimit } from "./Budget.js"
import { ContentBlock, ImageBlock } from "./ContentBlock.js"
import { AnyObject, Flag, NonEmptyText, oneOf, optional, says, Text } from "./fields.js"
import { MessageId, RequestId } from "./Ids.js"
import { PermissionResponse } from "./Permission.js"
import { Every, Moment, ScheduleId } from "./SchedulePlan.js"

const command = <const Type extends string, Fields extends Schema.Struct.Fields>(
  type: Type,
  fields: Fields
) => Schema.Struct({ type: Schema.Literal(type), ...fields, message_id: optional(MessageId) })

/** What to do with a prompt that arrives during a turn: run it afterwards, add it to the turn, or run it instead. */
export const When = oneOf("queue", "steer", "interrupt")
export type When = typeof When.Type

const Content = Schema.Union([Text, Schema.Array(ContentBlock)]).annotate(says(
  "must be a string or a list of blocks, {\"type\":\"text\",\"text\":\"…\"} or {\"type\":\"image\",\"source\":"
    + "{\"type\":\"base64\",\"media_type\":\"image/png\",\"data\":\"…\"}}"
))
const Images = Schema.Array(ImageBlock).annotate(says(
  "must be a list of image blocks, {\"type\":\"image\",\"source\":{\"type\":\"base64\",\"media_type\":"
    + "\"image/png\",\"data\":\"…\"}} (png, jpeg, gif or webp)"
))
const Uuid = Schema.String.check(
  // Effect's own check wants a known version; clients' ids need none.
  Schema.isPattern(/^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$/u)
).annotate({ format: "uuid", ...says("must be a UUID") })
const Size = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1000 })).annotate(
  says("must be a whole number from 1 to 1000")
)

/** `{"text":"…"}`, the short form of a prompt. */
export const ShortPrompt = Schema.Struct({
  text: Text,
  images: optional(Images),
  uuid: optional(Uuid),
  when: optional(When),
  message_id: optional(MessageId)
})

/** `{"type":"user_message","content":…}`, as a client may spell it. */
export const LongPrompt = command("user_message", {
  content: Content,
  images: optional(Images),
  uuid: optional(Uuid),
  when: optional(When)
})

/** A prompt: never empty. */
export const UserMessage = command("user_message", {
  content: Schema.NonEmptyArray(ContentBlock),
  uuid: optional(Uuid),
  when: optional(When)
})
export type UserMessage = typeof UserMessage.Type

export const Interrupt = command("interrupt", {})
export const SetModel = command("set_model", { model: NonEmptyText })
export const SetPermissionMode = command("set_permission_mode", { mode: NonEmptyText })
export const ControlRequest = command("control_request", {
  request_id: optional(RequestId),
  request: Schema.StructWithRest(Schema.Struct({ subtype: NonEmptyText }), [
    Schema.Record(Schema.String, Schema.Unknown)
  ])
    .annotate(says("must be an object with a `subtype`, as the agent's own protocol has it"))
})
export const ControlResponse = command("control_response", {
  response: Schema.Struct({
    subtype: oneOf("success", "error"),
    request_id: RequestId,
    response: optional(AnyObject),
    error: optional(Text)
  }).annotate(says("must be {\"subtype\":\"success\" or \"error\",\"request_id\":\"…\",\"response\":{…}}"))
})
export const RawRequest = command("raw_request", {
  request_id: optional(RequestId),
  method: NonEmptyText,
  params: optional(AnyObject)
})
export const Resize = command("resize", { cols: Size, rows: Size })
export const Stdin = command("stdin", { data: Text })
/** Here `message_id` names the prompt to take back, not this command. */
export const CancelQueued = Schema.Struct({ type: Schema.Literal("cancel_queued"), message_id: MessageId })
/** Stops the agent and keeps the session: the conversation can be continued in a terminal, and is followed. */
export const HandOver = command("hand_over", {})
/** Starts the agent again, if nobody else has the conversation open. */
export const TakeOver = command("take_over", {})
/** Lowers what the session, or each of its turns, may use. */
export const SetBudget = command("set_budget", { budget: Budget })
/** What happens to prompts that hit a limit of the agent's vendor; `stop` also withdraws a waiting one. */
export const SetOnLimit = command("set_on_limit", { on_limit: OnLimit })
/** A prompt for later: once (`at`) or repeatedly (`every`). */
export const LongSchedule = command("schedule", {
  content: Content,
  images: optional(Images),
  at: optional(Moment),
  every: optional(Every),
  time_zone: optional(NonEmptyText)
})
/** The same, its content never empty. */
export const AddSchedule = command("schedule", {
  content: Schema.NonEmptyArray(ContentBlock),
  at: optional(Moment),
  every: optional(Every),
  time_zone: optional(NonEmptyText)
})
export const ChangeSchedule = command("change_schedule", { schedule_id: ScheduleId, paused: Flag })
export const RemoveSchedule = command("remove_schedule", { schedule_id: ScheduleId })
/** Rewinds the files of the session's folder, the conversation, or both to before a turn. */
export const Rewind = command("rewind", {
  turn: Schema.Int.check(Schema.isGreaterThanOrEqualTo(1)).annotate(
    says("must be the number of a turn, from 1 on")
  ),
  restore: optional(oneOf("both", "files", "conversation")),
  force: optional(Flag)
})
/** Undoes the last rewind. */
export const UndoRewind = command("undo_rewind", { rewind_id: optional(NonEmptyText), force: optional(Flag) })
/** Asks to drive the session, if only one client may; the current driver is asked. */
export const Drive = command("drive", {})
/** The driver's answer to a request to take over. */
export const DriveResponse = command("drive_response", {
  request_id: RequestId.annotate(says("must be the request_id of a `drive_requested`, a string")),
  allow: Flag
})
/** Suggests a prompt to the driver, who sends or drops it. */
export const Suggest = command("suggest", { text: NonEmptyText })
export const SuggestionResponse = command("suggestion_response", {
  suggestion_id: NonEmptyText,
  send: Flag
})
/** `if_alone`: not while other clients are connected. */
export const End = command("end", { if_alone: optional(Flag) })
export const Ping = command("ping", {})

export const ClientCommand = Schema.Union([
  UserMessage,
  PermissionResponse,
  Interrupt,
  SetModel,
  SetPermissionMode,
  ControlRequest,
  ControlResponse,
  RawRequest,
  Resize,
  Stdin,
  CancelQueued,
  HandOver,
  TakeOver,
  SetBudget,
  SetOnLimit,
  AddSchedule,
  ChangeSchedule,
  RemoveSchedule,
  Rewind,
  UndoRewind,
  Drive,
  DriveResponse,
  Suggest,
  SuggestionResponse,
  End,
  Ping
])
export type ClientCommand = typeof ClientCommand.Type
export type CommandOf<Type extends ClientCommand["type"]> = Extract<ClientCommand, { readonly type: Type }>
