/** frames: every frame there is, by the name it has in the contracts, with a sentence on what it is for. */
import { Schema, Tuple } from "effect"
import * as Command from "../ClientCommand.js"
import { HandshakeFields } from "../Handshake.js"
import { StreamEventOnWire } from "../Message.js"
import { PermissionAnswer } from "../Permission.js"
import { Envelope, EventBody, type EventType } from "../RelayEvent.js"

export interface Frame {
  readonly name: string
  readonly about: string
  readonly schema: Schema.Top
}

export const handshake: Frame = {
  name: "Handshake",
  about: "The first frame of a connection: the agent, the folder, and the session to open or to attach to.",
  schema: HandshakeFields
}

export const commands: ReadonlyArray<Frame> = [
  { name: "PromptCommand", about: "A prompt, in short.", schema: Command.ShortPrompt },
  { name: "UserMessageCommand", about: "A prompt of text and images.", schema: Command.LongPrompt },
  {
    name: "HandOverCommand",
    about: "End the agent, keep the session: somebody goes on with the conversation in a terminal.",
    schema: Command.HandOver
  },
  { name: "TakeOverCommand", about: "Start the agent of a followed conversation.", schema: Command.TakeOver },
  {
    name: "DriveCommand",
    about: "Drive the session, where one client at a time may: who drives now is asked.",
    schema: Command.Drive
  },
  {
    name: "DriveResponseCommand",
    about: "Let a client that asks take over, or not.",
    schema: Command.DriveResponse
  },
  { name: "SuggestCommand", about: "A prompt for whoever drives.", schema: Command.Suggest },
  {
    name: "SuggestionResponseCommand",
    about: "Send a suggested prompt, or drop it.",
    schema: Command.SuggestionResponse
  },
  { name: "CancelQueuedCommand", about: "Take back a prompt that waits.", schema: Command.CancelQueued },
  { name: "PermissionResponseCommand", about: "Answer a permission_request.", schema: PermissionAnswer },
  { name: "InterruptCommand", about: "Stop the running turn, keep the session.", schema: Command.Interrupt },
  { name: "SetModelCommand", about: "Change the model.", schema: Command.SetModel },
  {
    name: "SetPermissionModeCommand",
    about: "Change how much the agent may do unasked.",
    schema: Command.SetPermissionMode
  },
  {
    name: "ControlRequestCommand",
    about: "A request in the agent's own protocol, in Claude's form.",
    schema: Command.ControlRequest
  },
  {
    name: "ControlResponseCommand",
    about: "The answer to a native request, in Claude's form.",
    schema: Command.ControlResponse
  },
  {
    name: "RawRequestCommand",
    about: "A request in the agent's own protocol, in JSON-RPC's form.",
    schema: Command.RawRequest
  },
  { name: "StdinCommand", about: "Type into a terminal.", schema: Command.Stdin },
  { name: "ResizeCommand", about: "Tell the size of the terminal.", schema: Command.Resize },
  {
    name: "SetBudgetCommand",
    about: "Lower what the session, or each of its turns, may use.",
    schema: Command.SetBudget
  },
  {
    name: "SetOnLimitCommand",
    about: "What becomes of a prompt that fails because the agent is out of quota.",
    schema: Command.SetOnLimit
  },
  {
    name: "ScheduleCommand",
    about: "A prompt for later, once or again and again.",
    schema: Command.LongSchedule
  },
  {
    name: "ChangeScheduleCommand",
    about: "Pause a schedule, or go on with it.",
    schema: Command.ChangeSchedule
  },
  { name: "RemoveScheduleCommand", about: "Remove a schedule.", schema: Command.RemoveSchedule },
  { name: "RewindCommand", about: "Go back to before a turn.", schema: Command.Rewind },
  { name: "UndoRewindCommand", about: "Take the last rewind back.", schema: Command.UndoRewind },
  { name: "EndCommand", about: "End the session, for everybody.", schema: Command.End },
  { name: "PingCommand", about: "Answered with a status event whose status is pong.", schema: Command.Ping }
]

const about: Readonly<Record<EventType, string>> = {
  session_start: "The agent can be talked to, or this client has attached.",
  session_end: "The agent is gone; nothing follows until the session is opened again.",
  turn_start: "A turn begins; text and message_id are the prompt's.",
  turn_end: "The last event of a turn; exactly one per turn_start.",
  input_ack: "What became of a command.",
  status: "The agent's state has changed, or it said something there is no other word for.",
  control_response: "A request of either side is settled.",
  permission_cancelled: "Nobody needs to answer this request any more.",
  permission_request: "May the agent do this?",
  stream_event: "A piece of something that comes again, whole, in another event.",
  reasoning: "A whole thought, or a step of a plan.",
  assistant_message: "A whole message of the agent.",
  user_message: "A message of the user's side, as the agent took it.",
  response: "The final answer of a turn; one per turn that ends well.",
  tool_call: "The agent calls a tool.",
  tool_progress: "Output or progress of a running tool.",
  tool_result: "What a tool gave.",
  file_diff: "One file was created or edited.",
  error: "Something went wrong; text says what to do, code is for programs.",
  quota_warning: "A rate limit or quota is near, or reached.",
  context_warning: "The context window is nearly full.",
  context_compacted: "The agent has summarized the conversation to make room.",
  stdout: "A line the agent printed that is not of its protocol; for a terminal, a chunk.",
  stderr: "A line on the agent's error output.",
  session_list: "All sessions, to a client whose handshake says watch.",
  session_changed: "A session of that list has begun or changed.",
  session_removed: "A session of that list is not there any more."
}

const pascal = (type: string): string =>
  type.split("_").map((word) => word.slice(0, 1).toUpperCase() + word.slice(1)).join("")

export const events: ReadonlyArray<Frame> = EventBody.members.map((body) => {
  const type = body.fields.type.literal
  return {
    name: `${pascal(type).replace(/Event$/, "")}Event`,
    about: about[type],
    schema: type === "stream_event"
      ? StreamEventOnWire.mapMembers(Tuple.map(Schema.fieldsAssign(Envelope.fields)))
      : Schema.Struct({ ...body.fields, ...Envelope.fields })
  }
})
