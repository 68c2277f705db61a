/**
 * Every recorded session, through every front as it stands, over a relay that holds the recording: the client is cut off
 * behind each event, comes back as its protocol has it, and shows in the end what it shows when nothing disturbs it.
 */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, type Scope, Stream } from "effect"
// What the protocol's own clients read each update with.
import { zSessionNotification } from "../../node_modules/@agentclientprotocol/sdk/dist/v1/schema/zod.gen.js"
import * as AcpAgent from "../../src/fronts/acp/AcpAgent.js"
import * as PathMap from "../../src/fronts/acp/PathMap.js"
import type { Dialect as AguiDialect } from "../../src/fronts/agui/encode.js"
import { parse } from "../../src/fronts/agui/input.js"
import * as agui from "../../src/fronts/agui/runs.js"
import * as Chat from "../../src/fronts/chat/Chat.js"
import type { Chunk, Dialect, UIMessage } from "../../src/fronts/chat/Chunk.js"
import * as Tools from "../../src/fronts/mcp/tools.js"
import { SessionPort } from "../../src/fronts/SessionPort.js"
import { type RelayEvent, SessionId } from "../../src/schema/index.js"
import { Cut, make as makePort, type RecordedPort } from "../support/recordedPort.js"
import { recordedSessions } from "../support/recordedSessions.js"
import * as acpEditor from "./acp/editor.js"
import * as thread from "./agui/thread.js"
import * as reader from "./chat/reader.js"

const session_id = SessionId.make("recorded")
type Json = Record<string, any> // oxlint-disable-line typescript/no-explicit-any

/** Prompts have names, as these clients give them. */
const named = (events: ReadonlyArray<RelayEvent>): ReadonlyArray<RelayEvent> => {
  const texts = new Map<unknown, unknown>()
  return events.map((event) => {
    if (event.type === "turn_start") texts.set(event.turn, event.message_id ?? event.text)
    if (
      event.type === "input_ack" && event.message_id === undefined && texts.get(event.turn) === event.text
    ) {
      return { ...event, session_id, message_id: `prompt-${event.turn}` }
    }
    const isUnnamed = event.type === "turn_start" && event.text !== undefined &&
      event.message_id === undefined
    return { ...event, session_id, ...(isUnnamed && { message_id: `prompt-${event.turn}` }) }
  })
}

/** All of a stream, as far as it comes: it may be cut off. */
const taken = <A, E>(
  stream: Stream.Stream<ReadonlyArray<A>, E>
): Effect.Effect<{ readonly told: ReadonlyArray<A>; readonly isCut: boolean }, E> =>
  Effect.gen(function*() {
    const told: Array<A> = []
    const exit = yield* Effect.exit(
      Stream.runForEach(stream, (items) => Effect.sync(() => void told.push(...items)))
    )
    if (Exit.isSuccess(exit)) return { told, isCut: false }
    const isCut = exit.cause.reasons.some((reason) =>
      Cause.isDieReason(reason) && reason.defect instanceof Cut
    )
    return isCut ? { told, isCut } : yield* Effect.failCause(exit.cause)
  })

/** What was answered to each question, as the recording has it. */
const answersIn = (events: ReadonlyArray<RelayEvent>) =>
  new Map(events.flatMap((event) =>
    event.type === "control_response" && event.request_id !== undefined
      ? [[event.request_id as string, event.status === "allow"] as const]
      : []
  ))

/** Turns that a prompt of a client began: where, and how the prompt is called. Not those that an earlier turn took, too. */
const promptsIn = (events: ReadonlyArray<RelayEvent>) =>
  events.flatMap((event) => {
    if (event.type !== "turn_start" || event.text === undefined || event.message_id === undefined) return []
    const isOld = events.some((ack) =>
      ack.type === "input_ack" && ack.seq < event.seq && ack.message_id === event.message_id
    )
    if (isOld) return []
    const end = events.find(({ seq, type }) => seq > event.seq && type === "turn_end")?.seq
    return [{
      seq: event.seq,
      end: end ?? events.at(-1)?.seq ?? 0,
      id: event.message_id,
      text: event.text,
      turn: event.turn
    }]
  })

/** Prompts that were handed to a turn that was running. */
const steeredIn = (events: ReadonlyArray<RelayEvent>) => {
  const own = new Set(events.flatMap((event) => event.type === "turn_start" ? [event.message_id] : []))
  return events.flatMap((event) =>
    event.type === "input_ack" && event.status === "sent" && event.text !== undefined
      && event.message_id !== undefined && event.turn !== undefined && !own.has(event.message_id)
      ? [{ seq: event.seq, id: event.message_id, text: event.text }]
      : []
  )
}

const overEvery = (
  body: (events: ReadonlyArray<RelayEvent>) => Effect.Effect<void, unknown, Scope.Scope>
) => {
  for (const { events, name } of recordedSessions) {
    it.live(name, () => Effect.scoped(Effect.flatMap(events, (events) => body(named(events)))), 60_000)
  }
}

for (const dialect of [5, 6, 7] as ReadonlyArray<Dialect>) {
  describe(`useChat of version ${dialect}, cut off at every event`, () => {
    const chatOf = ({ port }: RecordedPort) => Chat.make(port, { dialect, front: "test", newId: () => "new" })

    /** A page that reads this stream and answers what is asked, until nothing is. */
    const finish = (recorded: RecordedPort, events: ReadonlyArray<RelayEvent>, first: Chat.Chunks) =>
      Effect.gen(function*() {
        const answers = answersIn(events)
        const page = reader.make(dialect)
        let chunks = first
        for (;;) {
          const { isCut, told } = yield* taken(chunks)
          for (const chunk of told) page.take(chunk)
          if (isCut || told.at(-1)?.["finishReason"] !== "tool-calls") return { page, isCut }
          const message = page.message()
          const parts = message.parts.map((part): Chunk => {
            const approval = part["approval"] as Json | undefined
            return part["state"] === "approval-requested"
              ? {
                ...part,
                state: "approval-responded",
                approval: { id: approval?.["id"], approved: answers.get(approval?.["id"]) ?? false }
              }
              : part
          })
          chunks = yield* Effect.scoped(
            chatOf(recorded).post("fake", { id: "recorded", messages: [{ ...message, parts }] })
          )
        }
      })
    /** The answer to an approval stands in the page that gave it alone, in the older versions. */
    const shownBy = (parts: ReadonlyArray<Chunk>) =>
      dialect === 7 ? parts : parts.map(({ approval: _, ...part }) => part)

    overEvery((events) =>
      Effect.gen(function*() {
        const recorded = makePort(events)
        const chat = chatOf(recorded)
        const messages = (seq: number) =>
          Effect.suspend(() => {
            recorded.show(seq)
            return Effect.map(
              chat.messages("recorded"),
              (all) => JSON.parse(JSON.stringify(all)) as ReadonlyArray<UIMessage>
            )
          })
        const history = yield* messages(events.length)
        for (const { end, id, seq, text } of promptsIn(events)) {
          recorded.show(seq - 1)
          const body = { id: "recorded", messages: [{ id, role: "user", parts: [{ type: "text", text }] }] }
          const calm = yield* finish(recorded, events, yield* chat.post("fake", body))
          const shown = shownBy(calm.page.parts())
          const kept = history.find((message) => message.id === `t-${seq}`)?.parts ?? []
          assert.deepStrictEqual(shownBy(kept), shown)
          for (let cut = seq; cut < end; cut++) {
            recorded.show(cut)
            const stream = yield* chat.resume("recorded")
            assert.isDefined(stream, `a turn runs at ${cut}`)
            const { page } = yield* finish(recorded, events, stream ?? Stream.empty)
            assert.deepStrictEqual(shownBy(page.parts()), shown, `cut at ${cut}`)
            // A page that comes with nothing but what is kept shows nothing else either, as far as it goes.
            const early = (yield* messages(cut)).find((message) => message.id === `t-${seq}`)?.parts ?? []
            assert.isAtMost(early.length, shown.length)
            for (const [index, part] of early.entries()) {
              assert.strictEqual(part.type, shown[index]?.type, `at ${cut}`)
              const said = (shown[index]?.["text"] ?? "") as string
              assert.isTrue(said.startsWith((part["text"] ?? "") as string), `at ${cut}`)
            }
          }
          // Nothing runs any more.
          recorded.show(end)
          assert.isUndefined(yield* chat.resume("recorded"))
        }
        for (const { id, seq, text } of steeredIn(events)) {
          for (const shown of [seq - 1, events.length]) {
            recorded.show(shown)
            const body = { id: "recorded", messages: [{ id, role: "user", parts: [{ type: "text", text }] }] }
            yield* finish(recorded, events, yield* chat.post("fake", body))
          }
        }
      })
    )
  })
}

for (const dialect of ["0.0", "1.0"] as ReadonlyArray<AguiDialect>) {
  describe(`AG-UI ${dialect}, cut off at every event`, () => {
    const inputOf = (client: ReturnType<typeof thread.make>, more: object = {}) => {
      const input = parse({
        threadId: "recorded",
        runId: "r",
        ...(dialect === "1.0" && { protocolVersion: "1.0" }),
        messages: client.sent(),
        state: client.state(),
        ...more
      })
      if (typeof input === "string") throw new Error(input)
      return input
    }
    const memory = { context: "", tools: "" }

    /** A client that runs, and answers what is asked, until nothing is. */
    const finish = (
      recorded: RecordedPort,
      client: ReturnType<typeof thread.make>,
      first: object = {}
    ): Effect.Effect<boolean, unknown> =>
      Effect.gen(function*() {
        let more = first
        for (let runs = 0; runs < 20; runs++) {
          const { isCut, told } = yield* agui.run(inputOf(client, more), "fake", memory).pipe(
            Effect.flatMap(taken),
            Effect.provideService(SessionPort, recorded.port),
            Effect.scoped
          )
          client.show(told)
          if (isCut) return true
          const asked = (client.outcome()?.["outcome"]?.interrupts ?? []) as ReadonlyArray<Json>
          if (asked.length === 0) return false
          more = {
            resume: asked.map(({ id }) => ({
              interruptId: id,
              status: "resolved",
              payload: { approved: true }
            }))
          }
        }
        throw new Error("it is asked for ever")
      })

    overEvery((events) =>
      Effect.gen(function*() {
        for (const { end, id, seq, text, turn } of promptsIn(events)) {
          const isOfTurn = (key: string) => key === id || new RegExp(`^([a-z]+-)?${turn}[.]`).test(key)
          const prompted = () => {
            const recorded = makePort(events)
            recorded.show(seq - 1)
            const client = thread.make(dialect)
            client.prompt(id, text)
            return { recorded, client }
          }
          const calm = prompted()
          yield* finish(calm.recorded, calm.client)
          const shown = calm.client.seen()
          for (let cut = seq; cut < end; cut++) {
            // It keeps what it has, and runs again.
            const { client, recorded } = prompted()
            recorded.cutAt(cut)
            const isCut = yield* finish(recorded, client)
            assert.isTrue(isCut, `cut at ${cut}`)
            recorded.cutAt(Infinity)
            client.breakOff()
            yield* finish(recorded, client)
            assert.strictEqual(client.seen(), shown, `cut at ${cut}, and run again`)
          }
          for (let cut = seq; cut < end; cut++) {
            // It has nothing left, and connects: the thread is told from its beginning.
            const recorded = makePort(events)
            recorded.show(cut)
            const client = thread.make(dialect)
            const stream = yield* agui.connect(inputOf(client)).pipe(
              Effect.provideService(SessionPort, recorded.port)
            )
            client.show((yield* taken(stream)).told)
            const asked = (client.outcome()?.["outcome"]?.interrupts ?? []) as ReadonlyArray<Json>
            if (asked.length > 0) {
              yield* finish(recorded, client, {
                resume: asked.map(({ id }) => ({
                  interruptId: id,
                  status: "resolved",
                  payload: { approved: true }
                }))
              })
            }
            assert.strictEqual(
              client.seen(isOfTurn),
              calm.client.seen(isOfTurn),
              `cut at ${cut}, and connected`
            )
          }
        }
        for (const { id, seq, text } of steeredIn(events)) {
          for (const shown of [seq - 1, events.length]) {
            const recorded = makePort(events)
            recorded.show(shown)
            const client = thread.make(dialect)
            client.prompt(id, text)
            yield* finish(recorded, client)
          }
        }
      })
    )
  })
}

/** Those that were looked at: the same ones come thousands of times. */
const judged = new Set<string>()

/** Updates as the client reads them: what it would drop without a word is a fault. */
const heard = (text: string, message: Json): Json | undefined => {
  if (message["method"] !== "session/update") return undefined
  const { params } = message
  if (judged.has(text)) return params.update
  judged.add(text)
  const read = zSessionNotification.safeParse(params)
  if (!read.success) throw new Error(`${read.error.message}: ${JSON.stringify(params)}`)
  assert.deepStrictEqual(read.data, params as unknown)
  return (params as Json)["update"] as Json
}

describe("an editor over ACP, cut off at every event", () => {
  const capabilities: Readonly<Record<string, object>> = {
    "plain": {},
    "with terminals and notices": {
      _meta: { terminal_output: true },
      session: { notices: {}, compaction: {} }
    }
  }
  for (const [name, clientCapabilities] of Object.entries(capabilities)) {
    /** Loads or resumes, and follows as long as there is something to follow. */
    const follow = (recorded: RecordedPort, editor: acpEditor.Editor, method: "load" | "resume") =>
      Effect.gen(function*() {
        let isAnswered = false
        const agent = yield* AcpAgent.make({
          port: Effect.succeed(recorded.port),
          send: (message) => {
            const text = JSON.stringify(message)
            const said = JSON.parse(text) as Json
            if (said["error"] !== undefined) throw new Error(JSON.stringify(said["error"]))
            isAnswered ||= said["id"] === 2 && said["method"] === undefined
            const update = heard(text, said)
            if (update !== undefined) editor.take(update)
          },
          paths: PathMap.make([]),
          version: "1",
          newId: () => "new"
        })
        const ask = (id: number, method: string, params: object) =>
          agent.receive(JSON.stringify({ jsonrpc: "2.0", id, method, params }))
        ask(1, "initialize", { protocolVersion: 1, clientCapabilities })
        ask(2, `session/${method}`, { sessionId: "recorded", cwd: "/workspace", mcpServers: [] })
        yield* Effect.repeat(Effect.yieldNow, { until: () => isAnswered && recorded.isDone() })
      }).pipe(Effect.scoped)

    describe(name, () => {
      overEvery((events) =>
        Effect.gen(function*() {
          const recorded = makePort(events)
          recorded.show(1)
          const calm = acpEditor.make()
          yield* follow(recorded, calm, "load")
          const shown = calm.seen()
          const last = events.length
          for (let cut = 2; cut <= last; cut++) {
            recorded.show(cut)
            const loaded = acpEditor.make()
            yield* follow(recorded, loaded, "load")
            assert.strictEqual(loaded.seen(), shown, `cut at ${cut}, and loaded`)
            const resumed = acpEditor.make()
            recorded.show(1)
            recorded.cutAt(cut)
            yield* follow(recorded, resumed, "load")
            recorded.cutAt(Infinity)
            yield* follow(recorded, resumed, "resume")
            assert.strictEqual(resumed.seen(), shown, `cut at ${cut}, and resumed`)
          }
        })
      )
    })
  }
})

describe("relay_read of MCP, cut off at every event", () => {
  const readAll = (recorded: RecordedPort, from: number, limit: number) =>
    Effect.gen(function*() {
      const tools = Tools.make({ port: recorded.port, front: () => "mcp", newId: () => "new" })
      const said: Array<unknown> = []
      let after_seq = from
      for (;;) {
        const page = (yield* tools.call("relay_read", { session_id: "recorded", after_seq, limit }) ??
          Effect.die("no such tool")) as Json
        said.push(...page["events"] as ReadonlyArray<unknown>)
        const { more, next_seq } = page
        if (more !== true) return { said, next_seq: next_seq as number }
        assert.isAbove(next_seq as number, after_seq)
        after_seq = next_seq as number
      }
    })

  overEvery((events) =>
    Effect.gen(function*() {
      const recorded = makePort(events)
      recorded.show(events.length)
      const { said } = yield* readAll(recorded, 0, 200)
      for (const limit of [1, 2, 7]) {
        assert.deepStrictEqual((yield* readAll(recorded, 0, limit)).said, said, `pages of ${limit}`)
      }
      for (let cut = 1; cut < events.length; cut++) {
        recorded.show(cut)
        const first = yield* readAll(recorded, 0, 50)
        recorded.show(events.length)
        const rest = yield* readAll(recorded, first.next_seq, 50)
        assert.deepStrictEqual([...first.said, ...rest.said], said, `cut at ${cut}`)
      }
    })
  )
})
