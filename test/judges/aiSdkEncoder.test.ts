/** The chunks of every recorded session, read by the AI SDK itself, versions 5 to 7. */
import { Effect } from "effect"
import { assert, describe, it } from "vitest"
import type { Chunk, Dialect, UIMessage } from "../../src/fronts/chat/Chunk.js"
import { historyOf, streamsOf } from "../fronts/chat/streams.js"
import { judgesOf } from "../support/judges.js"
import { recordedSessions } from "../support/recordedSessions.js"

const judges = judgesOf("ai-sdk")
const versions: ReadonlyArray<readonly [Dialect, string]> = [[5, "ai5"], [6, "ai6"], [7, "ai"]]

type Json = Record<string, any> // oxlint-disable-line typescript/no-explicit-any

/** What the SDK makes of an answer to a request of its own; fails as the SDK does. */
const readWith =
  (sdk: Json) => async (chunks: ReadonlyArray<Chunk>, message?: UIMessage): Promise<UIMessage> => {
    const body = chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`).join("") + "data: [DONE]\n\n"
    const transport = new sdk["DefaultChatTransport"]({
      fetch: () => Promise.resolve(new Response(body, { headers: { "content-type": "text/event-stream" } }))
    })
    const stream = await transport.sendMessages({ chatId: "c", trigger: "submit-message", messages: [] })
    let last = message
    const errors: Array<unknown> = []
    const told = chunks.flatMap((chunk) => chunk.type === "error" ? [chunk["errorText"]] : [])
    const messages = sdk["readUIMessageStream"]({
      message: structuredClone(message),
      stream,
      terminateOnError: false,
      onError: (error: unknown) => errors.push(error)
    })
    for await (const one of messages) last = one
    assert.deepStrictEqual(errors.map((error) => (error as Error).message), told)
    return JSON.parse(JSON.stringify(last)) as UIMessage
  }

/** As a person's click does it, in the page. */
const answered = (message: UIMessage, answers: ReadonlyMap<string, boolean>): UIMessage => ({
  ...message,
  parts: message.parts.map((part) => {
    const approval = part["approval"] as { readonly id: string } | undefined
    const approved = answers.get(approval?.id ?? "")
    return part["state"] === "approval-requested" && approval !== undefined && approved !== undefined
      ? { ...part, state: "approval-responded", approval: { id: approval.id, approved } }
      : part
  })
})

/** What only the older ones' own clients know: their answers in their words. */
const withoutAnswers = (message: UIMessage) => ({
  ...message,
  parts: message.parts.map(({ approval: _, ...part }) => part)
})

describe.skipIf(judges.missing !== undefined)("the AI SDK, over every recording", () => {
  for (const [dialect, name] of versions) {
    it(`${name}: takes all chunks, shows the same live, resumed and as history`, async () => {
      const sdk = await judges.load(name)
      const read = readWith(sdk)
      for (const { events, name } of recordedSessions) {
        const log = await Effect.runPromise(events)
        const history = JSON.parse(JSON.stringify(historyOf(log, dialect))) as ReadonlyArray<UIMessage>
        const valid = await sdk.safeValidateUIMessages({ messages: history })
        if (history.length > 0) assert.isTrue(valid.success, `${name}: ${valid.error?.message}`)
        const byId = new Map(history.map((message) => [message.id, message]))
        for (const { answers, stretches, whole } of streamsOf(log, dialect)) {
          let live: UIMessage | undefined
          for (const [index, stretch] of stretches.entries()) {
            if (live !== undefined) {
              live = answered(live, answers)
              assert.isTrue(
                sdk.lastAssistantMessageIsCompleteWithApprovalResponses({ messages: [live] }),
                `${name}: the page sends its answers ${index}`
              )
            }
            live = await read(stretch, live)
          }
          if (live === undefined) continue
          const hasApprovals = dialect !== 5
          if (hasApprovals) {
            assert.isFalse(
              sdk.lastAssistantMessageIsCompleteWithApprovalResponses({ messages: [live] }),
              `${name}: the page does not send them again`
            )
          }
          const resumed = await read(whole)
          const shown = byId.get(live.id)
          if (live.parts.length === 0) continue
          assert.isDefined(shown, `${name} ${live.id}`)
          const same = dialect === 7 ? (message: UIMessage) => message : withoutAnswers
          assert.deepStrictEqual(same(live), same(shown as UIMessage), `${name} live`)
          assert.deepStrictEqual(same(resumed), same(shown as UIMessage), `${name} resumed`)
        }
      }
    })
  }
})
