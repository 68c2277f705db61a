/** A page of CopilotKit in Chromium, with the relay as its runtime: it asks, and is itself again after it was loaded anew. */
import { join } from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { startJudgedPage } from "../support/judgedPage.js"
import { judgesOf } from "../support/judges.js"
import { contextOf, launch, openTab, whyNoBrowser } from "../support/page.js"

const judges = judgesOf("copilotkit")
const reason = judges.missing ?? whyNoBrowser()
const prompt = "Why is the total a cent too high?"

describe.skipIf(reason !== undefined)(
  `a page of CopilotKit${reason === undefined ? "" : `: ${reason}`}`,
  () => {
    let judged: Awaited<ReturnType<typeof startJudgedPage>>
    beforeAll(async () => {
      judged = await startJudgedPage({
        name: "copilot",
        entry: join(import.meta.dirname, "pages/copilotkit.jsx"),
        html: "<!doctype html><main></main><script type=\"module\" src=\"main.js\"></script>",
        packages: join(judges.folder, "node_modules"),
        options: {
          loader: { ".css": "empty", ".woff": "empty", ".woff2": "empty", ".ttf": "empty" },
          logLevel: "error"
        }
      })
    })
    afterAll(() => judged.end())

    it("asks, and goes on after a reload in the middle of a message and with a question open", async () => {
      const browser = await launch()
      const { faults, page } = await openTab(await contextOf(browser))
      try {
        page.setDefaultTimeout(40_000)
        const address = `${judged.site.origin}/copilot/index.html?thread=page&relay=${
          encodeURIComponent(judged.relay)
        }`
        // What is sent while the page still asks for its agents and the thread goes nowhere: CopilotKit drops it.
        const connected = page.waitForResponse((response) =>
          new URL(response.url()).pathname.endsWith("/connect")
        )
        await page.goto(address, { waitUntil: "networkidle" })
        await (await connected).finished()
        await page.locator("textarea").fill(prompt)
        await page.getByTestId("copilot-send-button").click()
        await page.getByTestId("copilot-assistant-message").first().waitFor()
        await page.reload()
        const option = page.getByRole("button", { name: "Whole cents" })
        await option.waitFor()
        await page.reload()
        await option.click()
        await page.getByRole("button", { name: "Allow" }).click()
        await page.getByText("the same page talks to it.").waitFor()
        const messages = () =>
          Promise.all(
            ["user", "assistant"].map((who) => page.getByTestId(`copilot-${who}-message`).allInnerTexts())
          )
        const shown = await messages()
        assert.deepStrictEqual(shown[0], [prompt])
        assert.match(shown[1]?.join("\n") ?? "", /reproduce it first[^]*rounded again[^]*All 20 tests pass/)
        await page.reload()
        await page.getByText("the same page talks to it.").waitFor()
        assert.deepStrictEqual(await messages(), shown)
        assert.deepStrictEqual(faults, [])
      } finally {
        await browser.close()
      }
    })
  }
)
