import { assert, describe, it } from "vitest"
import { npm, run, runOnce, see } from "../../src/adapters/advice.js"
import { RelayError } from "../../src/client/RelayError.js"
import { adviceText } from "../../src/console/components/adviceText.js"
import { count, duration, money } from "../../src/console/components/words.js"
import { explain, problemOf } from "../../src/console/relay/problem.js"
import { de } from "../../src/console/words/de.js"
import { en } from "../../src/console/words/en.js"
import { setWords } from "../../src/console/words/words.js"
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

  it("speak Chinese of one kind: an agent is no proxy, one form of address, no half-width colon", () => {
    const texts = entries(zh).flatMap(([path, value]) => said(value).map((text) => [path, text] as const))
    for (const [path, text] of texts) {
      assert.notInclude(text, "您", path)
      assert.notMatch(text.replaceAll("反向代理", ""), /代理/, path)
      assert.notMatch(text, /提示(?!词)/, path)
      assert.notMatch(text, /\p{Script=Han}[:;?!]/u, path)
    }
  })

  it("say times, counts and money as each language writes them", () => {
    try {
      const all = [4, 1.5, 59.7, 119.7].map(duration).concat([
        count(1234),
        count(2_500_000),
        money(0.5),
        money(0.001)
      ])
      assert.deepStrictEqual(all, [
        "4 s",
        "1.5 s",
        "1 min 0 s",
        "2 min 0 s",
        "1.2k",
        "2.5M",
        "$0.50",
        "< $0.01"
      ])
      setWords(de)
      assert.deepStrictEqual([duration(1.5), count(1234), money(0.5)], ["1,5 s", "1,2k", "0,50\u00A0$"])
      setWords(zh)
      assert.deepStrictEqual([duration(1.5), duration(61), money(0.5)], ["1.5 秒", "1 分 1 秒", "$0.50"])
    } finally {
      setWords(en)
    }
  })

  it("say what an error means and keep what the relay says exactly; English has the relay's words alone", () => {
    const refused = new RelayError("bad_command", "`title` is missing: it must be a string")
    const odd = Object.assign(new Error("the disk is full"), { code: "constructor" })
    try {
      assert.strictEqual(problemOf(refused), "Title is missing: it must be a string")
      assert.strictEqual(problemOf(new TypeError("Failed to fetch")), en.unreachable)
      setWords(de)
      assert.strictEqual(
        problemOf(refused),
        "Das geht so nicht. Es wurde nichts geändert. (Title is missing: it must be a string)"
      )
      assert.strictEqual(problemOf(odd), "The disk is full")
      setWords(zh)
      assert.strictEqual(
        explain("turn_failed", "rate limited"),
        "这一轮失败了，会话仍可继续，请重试。（Rate limited）"
      )
      assert.strictEqual(explain(undefined, "model changed"), "Model changed")
    } finally {
      setWords(en)
    }
  })

  it("have the relay's usual advice in the page's language, and the rest as the relay says it", () => {
    try {
      setWords(zh)
      for (const advice of [npm("x"), see("https://x.dev"), run("x"), runOnce("x login")]) {
        assert.notMatch(adviceText(advice), /relay's machine/, advice)
        assert.include(adviceText(advice), "中继主机", advice)
      }
      assert.strictEqual(adviceText(runOnce("x login")), "在中继主机上运行一次 `x login` 并登录。")
      assert.strictEqual(adviceText("Set X_KEY."), "Set X_KEY.")
    } finally {
      setWords(en)
    }
  })

  it("begin with a capital and hold no code ticks", () => {
    const sentences = english.filter(([, value]) => typeof value === "string" && value.endsWith("."))
    assert.isAbove(sentences.length, 10)
    for (const [path, value] of sentences) assert.match(String(value), /^[A-Z“]/, path)
    for (const [path, value] of english) assert.notInclude(said(value).join(" "), "`", path)
  })
})
