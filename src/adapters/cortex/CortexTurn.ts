/**
 * CortexTurn: one prompt until one stop: a request, and further ones while an agent waits for our answers.
 *
 * However the turn ends, everything received is emitted whole and kept for the next prompt. A question that
 * failed without any answer is dropped: a bad one would spoil all later requests.
 */
import { Cause, type Duration, Effect, Exit, Fiber, Option } from "effect"
import type { NativeBlock } from "../../schema/ContentBlock.js"
import { RequestId } from "../../schema/Ids.js"
import { type StopReason, textOf, type Usage } from "../../schema/index.js"
import { EventSink, PermissionGate, type PermissionOutcome, type Prompt } from "../Adapter.js"
import type { makeContextMeter } from "../wire/contextMeter.js"
import { parseJson } from "../wire/JsonRpc.js"
import type { SseEvent } from "../wire/Sse.js"
import { status } from "../wire/statusEvent.js"
import { isStop, toDecision, toPermissionRequest, toRefusal, toRefusalEvent } from "./agentAsk.js"
import { toEnd, toRest, total } from "./conclude.js"
import type { CortexAccount } from "./CortexAccount.js"
import { readFields } from "./CortexMessage.js"
import { exchange } from "./CortexRequest.js"
import {
  type Answer,
  type Ask,
  type Dialect,
  type Events,
  makeAnswer,
  type Message,
  type Reader
} from "./Dialect.js"
import { RequestFailed, toRaw, toStreamFailure } from "./RequestFailed.js"

/** A session as seen by its turns. */
export interface Conversation {
  readonly account: CortexAccount
  readonly dialect: Dialect
  /** Longest time without a byte. */
  readonly silence: Duration.Duration
  readonly warn: ReturnType<typeof makeContextMeter>
  /** For questions: asked in the step that reads them. */
  readonly fork: (question: Effect.Effect<PermissionOutcome>) => Fiber.Fiber<PermissionOutcome>
  model: string | undefined
  messages: ReadonlyArray<Message>
}

/** Limit on requests per turn, so that the agent and the relay do not continue forever. */
const maxRequests = 50

/** One request and its state. */
interface Round {
  readonly answer: Answer
  readonly reader: Reader
  /** Questions put to a person, by tool call. */
  readonly questions: Map<string, Fiber.Fiber<PermissionOutcome>>
  /** The answer is emitted and kept. */
  settled: boolean
  /** Its questions are answered, and the answers kept too. */
  answered: boolean
}

const makeRound = (dialect: Dialect, turn: string, id = turn): Round => {
  const answer = makeAnswer(id, turn)
  return { answer, reader: dialect.reader(answer), questions: new Map(), settled: false, answered: false }
}

const unanswered = { behavior: "cancelled", reason: "interrupted" } as const

const deny = (ask: Ask): NativeBlock => ask.options.length > 0 ? toDecision(ask, unanswered) : toRefusal(ask)

export const run = Effect.fn("CortexTurn.run")(
  function*(conversation: Conversation, { content, uuid }: Prompt) {
    const sink = yield* EventSink
    const gate = yield* PermissionGate
    const { account, dialect, fork, silence, warn } = conversation
    const before = conversation.messages
    let usage: Usage = {}
    let round = makeRound(dialect, uuid)

    /** Tool calls without a result. */
    const open = new Set<string>()

    /** The last event of a message carries it. */
    const tell = (events: Events, raw?: Uint8Array) =>
      events.forEach((event, index) => {
        if (event.type === "tool_call") open.add(event.tool_use_id)
        if (event.type === "tool_result") open.delete(event.tool_use_id)
        sink.emit(event, index === events.length - 1 ? raw : undefined)
      })

    const keep = (role: Message["role"], said: ReadonlyArray<NativeBlock>) => {
      if (said.length > 0) conversation.messages = [...conversation.messages, { role, content: said }]
    }

    const onEvent = ({ data, event }: SseEvent) => {
      const { answer, questions, reader } = round
      if (answer.progress === "closed") return
      if (data === "[DONE]") {
        answer.progress = "closed"
        return
      }
      const message = Option.getOrUndefined(readFields(data))
      if (message === undefined) return tellOther(event, data)
      const raw = toRaw(data, message)
      answer.failure = toStreamFailure(event, message, raw)
      if (answer.failure !== undefined) {
        answer.progress = "closed"
        return
      }
      tell(reader.read(event, message), raw)
      for (const ask of answer.asks) {
        if (ask.options.length === 0 || questions.has(ask.tool_use_id)) continue
        questions.set(ask.tool_use_id, fork(gate.request(toPermissionRequest(ask))))
      }
    }

    /** Data that is not an object: a run's traces are a list, and the end has no data or nothing to show. */
    const tellOther = (event: string, data: string): void => {
      if (event === "done") round.answer.progress = "closed"
      if (event === "done" || data.trim() === "") return
      const value = parseJson(data)
      if (value === undefined) {
        return sink.emit(event === "message" ? { type: "stdout", text: data } : status(event, data))
      }
      sink.emit(
        { type: "status", status: event, metadata: { data: value } },
        Buffer.from(JSON.stringify(value))
      )
    }

    /** Emit the rest of the answer and keep it for the next request. */
    const settle = () => {
      if (round.settled) return
      round.settled = true
      tell(toRest(round.answer))
      keep("assistant", dialect.toHistory(round.answer))
      usage = total(usage, round.answer.usage)
    }

    const request = Effect.gen(function*() {
      const body = dialect.toBody(conversation.messages, conversation.model)
      yield* exchange({ account, path: dialect.path, body, silence }, round.answer, onEvent)
      sink.batch(() => {
        settle()
        tell(round.reader.settle())
      })
    })

    /** Answers the agent's questions; false if the person wants it to stop. */
    const answerAsks = Effect.gen(function*() {
      let goOn = true
      const answers: Array<NativeBlock> = []
      for (const ask of round.answer.asks) {
        const question = round.questions.get(ask.tool_use_id)
        const outcome = question === undefined ? undefined : yield* Fiber.join(question)
        if (outcome === undefined) tell([toRefusalEvent(ask)])
        else goOn = goOn && !isStop(outcome)
        answers.push(outcome === undefined ? toRefusal(ask) : toDecision(ask, outcome))
      }
      keep("user", answers)
      round.answered = true
      return goOn
    })

    const rounds = Effect.gen(function*() {
      for (let count = 1;; count += 1) {
        yield* request
        const { asks, stop_reason } = round.answer
        if (asks.length === 0 || stop_reason !== "end_turn") return stop_reason
        if (!(yield* answerAsks)) return "cancelled"
        if (count === maxRequests) return "max_turn_requests"
        round = makeRound(dialect, uuid, `${uuid}:${count}`)
      }
    })

    /** Close everything, whatever happened. */
    const finish = (stop_reason: StopReason, failure: RequestFailed | undefined) => {
      settle()
      for (const id of round.questions.keys()) gate.withdraw(RequestId.make(id))
      if (!round.answered && round.answer.final !== undefined) keep("user", round.answer.asks.map(deny))
      if (failure !== undefined && conversation.messages.length === before.length + 1) {
        conversation.messages = before
      }
      tell([...open].map((tool_use_id) => ({
        type: "tool_result",
        tool_use_id,
        status: "error",
        text: stop_reason === "cancelled" ? stoppedEarly : neverRun
      })))
      const text = dialect.toText(round.answer.final ?? dialect.toHistory(round.answer))
      const [first, ...others] = toEnd({ stop_reason, failure, text, usage, warn })
      if (first !== undefined) sink.emit(first, failure?.raw)
      tell(others)
    }

    const text = textOf(content)
    sink.emit({ type: "user_message", content, ...(text !== "" && { text }), metadata: { uuid } })
    keep("user", content)
    yield* rounds.pipe(
      Effect.onExit((exit) => {
        const [stop_reason, failure] = toOutcome(exit)
        return Effect.andThen(
          failure?.code === "internal" && Exit.isFailure(exit) ? Effect.logError(exit.cause) : Effect.void,
          Effect.sync(() => sink.batch(() => finish(stop_reason, failure)))
        )
      }),
      Effect.exit
    )
  }
)

const stoppedEarly = "The turn was stopped before this tool had finished."
const neverRun = "This tool was not run: ai-relay does not run tools for Snowflake."

const unexpected = new RequestFailed({
  code: "internal",
  text: "ai-relay failed unexpectedly; its log says more. Send the prompt again."
})

const toOutcome = (
  exit: Exit.Exit<StopReason, RequestFailed>
): readonly [StopReason, RequestFailed | undefined] => {
  if (Exit.isSuccess(exit)) return [exit.value, undefined]
  if (Cause.hasInterrupts(exit.cause)) return ["cancelled", undefined]
  return ["error", Option.getOrElse(Cause.findErrorOption(exit.cause), () => unexpected)]
}
