import { assert, describe, it } from "vitest"
import * as EventBuffer from "../../src/client/EventBuffer.js"
import type { RelayEvent } from "../../src/client/protocol.js"
import type { RelayError } from "../../src/client/RelayError.js"

const event = (seq: number): RelayEvent => ({ type: "stdout", text: "", seq, ts: 0 })
const million = 1024 * 1024

describe("EventBuffer", () => {
  it("keeps what nobody reads up to a bound, then tells where to go on", async () => {
    const mailbox = EventBuffer.make()
    for (let seq = 1; seq <= 3; seq++) mailbox.push(event(seq), 10)
    const [first] = [await mailbox[Symbol.asyncIterator]().next()]
    assert.strictEqual(first?.value?.seq, 1)
    for (let seq = 4; seq <= 40; seq++) mailbox.push(event(seq), million)
    const failure = await mailbox[Symbol.asyncIterator]().next().then(
      () => undefined,
      (error: RelayError) => error
    )
    assert.include(failure, { code: "read_too_slowly" })
    assert.include(failure?.message, "after_seq 1,")
  })

  it("gives a loop that comes later what one that left did not take", async () => {
    const mailbox = EventBuffer.make()
    const leaving = mailbox[Symbol.asyncIterator]()
    const waiting = leaving.next()
    await leaving.return?.()
    assert.deepStrictEqual(await waiting, { done: true, value: undefined })
    mailbox.push(event(1), 1)
    mailbox.end()
    const seen: Array<number> = []
    for await (const { seq } of mailbox) seen.push(seq)
    assert.deepStrictEqual(seen, [1])
  })

  it("keeps nothing for a page that listens instead", async () => {
    const mailbox = EventBuffer.make()
    mailbox.push(event(1), 1)
    mailbox.forgo()
    mailbox.push(event(2), 40 * million)
    mailbox.end()
    for await (const one of mailbox) assert.fail(`it kept ${one.seq}`)
  })
})
