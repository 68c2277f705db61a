/** frames: all frames by their name in the contracts, each with a sentence that says what it is for. */
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
  about: "The first frame of a connection: the agent, the folder, and the session to open or attach to.",
  schema: HandshakeFields
}

export const commands: ReadonlyArray<Frame> = [
  { name: "PromptCommand", about: "A prompt, in short.", schema: Command.ShortPrompt },
  { name: "UserMessageCommand", about: "A prompt of text and images.", schema: Command.LongPrompt },
  {
    name: "HandOverCommand",
    about: "Stop the agent and keep the session, to continue the conversation in a terminal.",
    schema: Command.HandOver
  },
  { name: "TakeOverCommand", about: "Start the agent of a followed conversation.", schema: Command.TakeOver },
  {
    name: "DriveCommand",
    about: "Ask to drive the session, if only one client at a time may; the current driver is asked.",
    schema: Command.Drive
  },
  {
    name: "DriveResponseCommand",
    about: "Let a client that asked take over, or refuse.",
    schema: Command.DriveResponse
  },
  { name: "SuggestCommand", about: "Suggest a prompt to the driver.", schema: Command.Suggest },
  {
    name: "SuggestionResponseCommand",
    about: "Send a suggested prompt, or drop it.",
    schema: Command.SuggestionResponse
  },
  { name: "CancelQueuedCommand", about: "Withdraw a queued prompt.", schema: Command.CancelQueued },
  { name: "PermissionResponseCommand", about: "Answer a permission_request.", schema: PermissionAnswer },
  {
    name: "InterruptCommand",
    about: "Stop the running turn and keep the session.",
    schema: Command.Interrupt
  },
  { name: "SetModelCommand", about: "Change the model.", schema: Command.SetModel },
  {
    name: "SetPermissionModeCommand",
    about: "Change what the agent may do without asking.",
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
    about: "What happens to a prompt that fails because the agent is out of quota.",
    schema: Command.SetOnLimit
  },
  {
    name: "ScheduleCommand",
    about: "A prompt for later, once or repeatedly.",
    schema: Command.LongSchedule
  },
  {
    name: "ChangeScheduleCommand",
    about: "Pause or continue a schedule.",
    schema: Command.ChangeSchedule
  },
  { name: "RemoveScheduleCommand", about: "Remove a schedule.", schema: Command.RemoveSchedule },
  { name: "RewindCommand", about: "Rewind to before a turn.", schema: Command.Rewind },
  { name: "UndoRewindCommand", about: "Undo the last rewind.", schema: Command.UndoRewind },
  { name: "EndCommand", about: "End the session for everybody.", schema: Command.End },
  { name: "PingCommand", about: "Answered with a status event whose status is pong.", schema: Command.Ping }
]

const about: Readonly<Record<EventType, string>> = {
  session_start: "The agent is ready, or this client has attached.",
  session_end: "The agent is gone; nothing follows until the session is opened again.",
  turn_start: "A turn begins; text and message_id are the prompt's.",
  turn_end: "The last event of a turn; exactly one per turn_start.",
  input_ack: "The outcome of a command.",
  status: "The agent's state has changed, or it sent something without an event type of its own.",
  control_response: "A request of the agent or of a client is settled.",
  permission_cancelled: "This request no longer needs an answer.",
  permission_request: "May the agent do this?",
  stream_event: "A delta of something that comes again, complete, in another event.",
  reasoning: "A complete thought, or a step of a plan.",
  assistant_message: "A complete message of the agent.",
  user_message: "A message of the user's side, as received by the agent.",
  response: "The final answer of a turn; one per successful turn.",
  tool_call: "The agent calls a tool.",
  tool_progress: "Output or progress of a running tool.",
  tool_result: "The result of a tool call.",
  file_diff: "One file was created or edited.",
  error: "Something went wrong; text says what to do, code is for programs.",
  quota_warning: "A rate limit or quota is near or reached.",
  context_warning: "The context window is nearly full.",
  context_compacted: "The agent has summarized the conversation to make room.",
  stdout: "A line of the agent's output that is not part of its protocol; for a terminal, a chunk.",
  stderr: "A line on the agent's error output.",
  session_list: "All sessions, for a client whose handshake says watch.",
  session_changed: "A session was added to that list or has changed.",
  session_removed: "A session was removed from that list."
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
