/** What is said to a client of the Agent Client Protocol, in its order. */
import { assert, describe, it } from "@effect/vitest"
import * as Outbox from "../../../src/fronts/acp/Outbox.js"

const make = () => {
  const said: Array<string> = []
  const outbox = Outbox.make((message) => void said.push((message as { readonly text: string }).text))
  const session = {}
  return {
    said,
    send: (text: string) => outbox.send({ text }),
    grow: (id: string, text: string, of: object = session) =>
      outbox.grow(of, id, text, (all) => outbox.send({ text: `${id}: ${all}` }))
  }
}

const turned = () => new Promise((resolve) => queueMicrotask(() => resolve(undefined)))

describe("pieces of a message", () => {
  it("are said as one if they come at once, and by themselves", async () => {
    const { grow, said } = make()
    for (const text of ["some ", "words ", "of it"]) grow("1.1", text)
    assert.isEmpty(said)
    await turned()
    assert.deepStrictEqual(said, ["1.1: some words of it"])
    grow("1.1", "more")
    await turned()
    assert.deepStrictEqual(said, ["1.1: some words of it", "1.1: more"])
  })

  it("are overtaken by nothing: not by another message, another session, or an answer", async () => {
    const { grow, said, send } = make()
    grow("1.1", "a")
    grow("1.2", "b")
    grow("1.2", "c", {})
    send("answer")
    grow("1.2", "d")
    send("end")
    await turned()
    assert.deepStrictEqual(said, ["1.1: a", "1.2: b", "1.2: c", "answer", "1.2: d", "end"])
  })
})
