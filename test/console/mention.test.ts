/** Where an `@` in a prompt begins a file's name, and what is written then. */
import { assert, describe, it } from "vitest"
import { mentionAt, mentionOf, withMention } from "../../src/console/components/beside/mention.js"

const at = (text: string, caret = text.length) => mentionAt(text, caret)?.query

describe("a mention", () => {
  it("begins behind a space, a bracket or nothing, and ends with the word", () => {
    assert.strictEqual(at("@"), "")
    assert.strictEqual(at("see @src/to"), "src/to")
    assert.strictEqual(at("(@a"), "a")
    assert.strictEqual(at("\n@a"), "a")
    assert.isUndefined(at("ada@example.com"))
    assert.isUndefined(at("see @a b"))
    assert.isUndefined(at("@a", 0))
    assert.strictEqual(at("@abc def", 3), "ab")
    assert.isUndefined(at("@\"a b"))
  })

  it("begins and ends where Chinese and Japanese text has no spaces, and is put behind one", () => {
    assert.strictEqual(at("请看@src/to"), "src/to")
    assert.strictEqual(at("请看，@合计"), "合计")
    assert.strictEqual(at("ファイル@a"), "a")
    assert.isUndefined(at("请看@src/total.ts，然后"))
    const text = "请看@to，然后"
    const mention = mentionAt(text, 5)
    assert.deepStrictEqual(mention && withMention(text, mention, "src/total.ts"), {
      text: "请看 @src/total.ts ，然后",
      caret: 17
    })
  })

  it("is put in its place, and what follows stays", () => {
    const text = "see @to now"
    const mention = mentionAt(text, 7)
    assert.deepStrictEqual(mention && withMention(text, mention, "src/total.ts"), {
      text: "see @src/total.ts now",
      caret: 18
    })
    assert.strictEqual(mentionOf("my file.txt"), "@\"my file.txt\" ")
    const spaced = mentionAt("@my", 3)
    assert.deepStrictEqual(spaced && withMention("@my", spaced, "my file.txt"), {
      text: "@\"my file.txt\" ",
      caret: 15
    })
  })
})
