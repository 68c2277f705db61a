/** examples/chat in Chromium: useChat asks, shows diffs, and is itself again after it was loaded anew. */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { startJudgedPage } from "../support/judgedPage.js"
import { judgesOf } from "../support/judges.js"
import { contextOf, launch, openTab, whyNoBrowser } from "../support/page.js"

const judges = judgesOf("ai-sdk")
const reason = judges.missing ?? whyNoBrowser()
const example = join(import.meta.dirname, "../../examples/chat")

describe.skipIf(reason !== undefined)("examples/chat", () => {
  let judged: Awaited<ReturnType<typeof startJudgedPage>>
  beforeAll(async () => {
    judged = await startJudgedPage({
      name: "chat",
      entry: join(example, "main.jsx"),
      html: readFileSync(join(example, "index.html"), "utf8").replace("main.jsx", "main.js"),
      packages: join(judges.folder, "node_modules")
    })
  })
  afterAll(() => judged.end())

  it("asks, shows a diff, and goes on after a reload in the middle of a message and of a question", async () => {
    const browser = await launch()
    try {
      const { faults, page } = await openTab(await contextOf(browser))
      page.setDefaultTimeout(40_000)
      await page.goto(`${judged.site.origin}/chat/index.html?relay=${encodeURIComponent(judged.relay)}#page`)
      await page.getByLabel("Prompt", { exact: true }).fill("Why is the total a cent too high?")
      await page.getByRole("button", { name: "Send" }).click()
      await page.locator("p.reasoning").first().waitFor()
      await page.reload()
      const option = page.getByRole("button", { name: "Whole cents" })
      await option.waitFor()
      await page.reload()
      await option.click()
      await page.getByRole("button", { name: "Allow" }).click()
      await page.locator("pre.diff").first().waitFor()
      await page.getByText("submitted").or(page.getByText("streaming")).waitFor({ state: "detached" })
      const shown = await page.locator("article").allInnerTexts()
      assert.lengthOf(shown, 2)
      assert.include(shown[1], "+export const total = (items: ReadonlyArray<Item>)")
      assert.strictEqual(await page.getByRole("status").innerText(), "ready")
      await page.reload()
      await page.locator("pre.diff").first().waitFor()
      assert.deepStrictEqual(await page.locator("article").allInnerTexts(), shown)
      assert.deepStrictEqual(faults, [])
    } finally {
      await browser.close()
    }
  })

  it("has less than sixty lines of its user's own", () => {
    const lines = readFileSync(join(example, "main.jsx"), "utf8").split("\n")
    const own = lines.filter((line) => !/^(\s*|\/\*\*.*| \*.*|import .*)$/.test(line))
    assert.isBelow(own.length, 60)
  })
})
