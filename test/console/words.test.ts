import { assert, describe, it } from "vitest"
import { de } from "../../src/console/words/de.js"
import { en } from "../../src/console/words/en.js"
import { zh } from "../../src/console/words/zh.js"

type Entry = readonly [path: string, words: unknown]

const entries = (words: object, at = ""): ReadonlyArray<Entry> =>
  Object.entries(words).flatMap(([key, value]: [string, unknown]) =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? entries(value, `${at}${key}.`)
      : [[`${at}${key}`, value] as const]
  )

/** What a text says for a few values. */
const said = (words: unknown): ReadonlyArray<string> => {
  if (typeof words !== "function") return [String(words)]
  // Every function of the catalogue takes at most two values and gives words.
  const say = words as (...values: ReadonlyArray<unknown>) => unknown
  return [[1, 1], [7, 9], ["x", "y"], [["x"], "y"]].flatMap((values) => {
    try {
      return [say(...values)].flat().map(String)
    } catch {
      return []
    }
  })
}

describe("the console's words", () => {
  const english = entries(en)

  for (const [name, words] of Object.entries({ de, zh })) {
    it(`are all there in ${name}`, () => {
      assert.deepStrictEqual(entries(words).map(([path]) => path), english.map(([path]) => path))
      for (const [path, value] of entries(words)) {
        const original = english.find(([other]) => other === path)?.[1]
        assert.strictEqual(typeof value, typeof original, path)
        assert.isTrue(said(value).length > 0 && said(value).every((text) => text.trim() !== ""), path)
      }
    })

    it(`are translated in ${name}, and say every value they are given`, () => {
      const same = entries(words).filter(([path, value]) => {
        const original = english.find(([other]) => other === path)?.[1]
        return typeof value === "string" && value === original && /[a-z]{4}/.test(value)
      })
      const international = [
        "plan",
        "agent",
        "demo",
        "terminal",
        "settings.version",
        "token",
        "accountToken",
        "optional",
        "verbs.exitPlan",
        "filter"
      ]
      assert.deepStrictEqual(same.map(([path]) => path).filter((path) => !international.includes(path)), [])
      for (const [path, value] of entries(words)) {
        if (typeof value !== "function") continue
        const original = said(english.find(([other]) => other === path)?.[1]).join(" ")
        for (const sample of ["x", "y", "7", "9"]) {
          if (new RegExp(`\\b${sample}\\b`).test(original)) {
            assert.match(said(value).join(" "), new RegExp(sample), `${path} leaves ${sample} out`)
          }
        }
      }
    })
  }

  it("begin with a capital and hold no code ticks", () => {
    const sentences = english.filter(([, value]) => typeof value === "string" && value.endsWith("."))
    assert.isAbove(sentences.length, 10)
    for (const [path, value] of sentences) assert.match(String(value), /^[A-Z“]/, path)
    for (const [path, value] of english) assert.notInclude(said(value).join(" "), "`", path)
  })
})
