/**
 * fakeAdapter: agents that do what a test tells them, and remember what they were told.
 *
 * By itself a fake agent takes every command and says nothing. `onCommand` scripts it; the test plays it through `say`,
 * `ask` and `exit`.
 */
import { Deferred, Effect, Queue, Schema } from "effect"
import {
  type Adapter,
  type AgentCommand,
  type AgentExit,
  type AgentSpec,
  type Capabilities,
  EventSink,
  type NativeRules,
  PermissionGate,
  type PermissionOutcome
} from "../../src/adapters/Adapter.js"
import type { OpenError, SendError } from "../../src/adapters/AdapterError.js"
import { type EventBody, Handshake, type PermissionRequest, RequestId } from "../../src/schema/index.js"

export interface FakeAgent {
  readonly spec: AgentSpec
  readonly sink: EventSink["Service"]
  /** What it was handed so far. */
  readonly sent: ReadonlyArray<AgentCommand>
  /** The next command it is handed, in order; waits for one. */
  readonly next: Effect.Effect<AgentCommand>
  /** Say these, as one batch. */
  readonly say: (...events: ReadonlyArray<EventBody>) => Effect.Effect<void>
  /** Ask for a permission and wait for the outcome. */
  readonly ask: (ask: PermissionRequest, raw?: Uint8Array) => Effect.Effect<PermissionOutcome>
  readonly withdraw: (request_id: RequestId) => Effect.Effect<void>
  /** It is gone. */
  readonly exit: (how?: Partial<AgentExit>) => Effect.Effect<void>
}

export interface FakeOptions {
  readonly tool?: string
  readonly capabilities?: Partial<Capabilities>
  /** What opening takes, or why it fails. */
  readonly opening?: (spec: AgentSpec) => Effect.Effect<void, OpenError>
  /** What it does with a command, after it was noted down. */
  readonly onCommand?: (command: AgentCommand, agent: FakeAgent) => Effect.Effect<void, SendError>
  /** What of its own protocol it may be asked. */
  readonly native?: NativeRules
  /** What it says before it is open. */
  readonly early?: ReadonlyArray<EventBody>
  /** It changes files. */
  readonly works_on_files?: true
  /** What it does when it is closed, before it is gone. */
  readonly closing?: (agent: FakeAgent) => Effect.Effect<void>
}

export interface FakeAdapter {
  readonly adapter: Adapter
  /** Every agent that was opened, oldest first. */
  readonly agents: ReadonlyArray<FakeAgent>
  /** The one that was opened last. */
  readonly agent: () => FakeAgent
}

const everything: Capabilities = {
  images: true,
  steer: true,
  set_model: true,
  permission_modes: ["default", "plan"],
  resume: true,
  terminal: false
}

export const make = (options: FakeOptions = {}): FakeAdapter => {
  const { capabilities, closing, early = [], native, onCommand, opening, tool = "fake" } = options
  const agents: Array<FakeAgent> = []

  const open = Effect.fnUntraced(function*(spec: AgentSpec) {
    const sink = yield* EventSink
    const gate = yield* PermissionGate
    const exited = yield* Deferred.make<AgentExit>()
    const commands = yield* Queue.unbounded<AgentCommand>()
    const sent: Array<AgentCommand> = []
    const exit: FakeAgent["exit"] = (how) => Deferred.succeed(exited, { stderr: [], ...how })
    const agent: FakeAgent = {
      spec,
      sink,
      sent,
      next: Queue.take(commands),
      say: (...events) =>
        Effect.sync(() => void sink.batch(() => events.forEach((event) => sink.emit(event)))),
      ask: gate.request,
      withdraw: (request_id) => Effect.sync(() => gate.withdraw(request_id)),
      exit
    }
    for (const event of early) sink.emit(event)
    if (opening !== undefined) yield* opening(spec)
    yield* Effect.addFinalizer(() => Effect.andThen(closing?.(agent) ?? Effect.void, exit({ exit_code: 0 })))
    agents.push(agent)
    return {
      started: { cmd: [tool], capabilities: { ...everything, ...capabilities } },
      ...(native !== undefined && { native }),
      send: (command: AgentCommand) =>
        Effect.suspend(() => {
          sent.push(command)
          Queue.offerUnsafe(commands, command)
          return onCommand?.(command, agent) ?? Effect.void
        }),
      exit: Deferred.await(exited)
    }
  })

  return {
    adapter: { tool, open, ...(options.works_on_files === true && { works_on_files: true }) },
    agents,
    agent: () => {
      const last = agents.at(-1)
      if (last === undefined) throw new Error("no agent has been opened yet")
      return last
    }
  }
}

/** What a session opens an agent with. */
export const specOf = (handshake: object = {}): AgentSpec => ({
  ...Schema.decodeUnknownSync(Handshake)(handshake),
  tool: "fake",
  folder: "/workspace",
  fresh_uuid: "00000000-0000-4000-8000-0000000000ff"
})

/** A permission to ask for. */
export const askFor = (request_id: string, more: Partial<PermissionRequest> = {}): PermissionRequest => ({
  type: "permission_request",
  request_id: RequestId.make(request_id),
  tool: "Bash",
  args: { command: "ls" },
  metadata: { kind: "tool" },
  ...more
})

/** An agent that answers each prompt at once: the words in `reply`, then the end of the turn. */
export const answering = (reply = "Done."): NonNullable<FakeOptions["onCommand"]> => (command, agent) =>
  command.type === "user_message"
    ? agent.say({ type: "response", text: reply }, { type: "turn_end", stop_reason: "end_turn" })
    : command.type === "interrupt"
    ? agent.say({ type: "turn_end", stop_reason: "cancelled" })
    : Effect.void
