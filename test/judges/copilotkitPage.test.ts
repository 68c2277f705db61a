/** A page of CopilotKit in Chromium, with the relay as its runtime: it asks, and is itself again after it was loaded anew. */
import { build } from "esbuild"
import { mkdtempSync, realpathSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { type Daemon, startDaemon } from "../support/daemon.js"
import { judgesOf } from "../support/judges.js"
import { contextOf, launch, openTab, whyNoBrowser } from "../support/page.js"
import { type Site, startSite } from "../support/site.js"

const judges = judgesOf("copilotkit")
const reason = judges.missing ?? whyNoBrowser()
const home = realpathSync(mkdtempSync(join(tmpdir(), "ai-relay-copilotkit-page-")))
const prompt = "Why is the total a cent too high?"
const packages = join(judges.folder, "node_modules")

describe.skipIf(reason !== undefined)(
  `a page of CopilotKit${reason === undefined ? "" : `: ${reason}`}`,
  () => {
    let daemon: Daemon
    let site: Site

    beforeAll(async () => {
      site = await startSite()
      daemon = await startDaemon({
        env: { PATH: process.env["PATH"] ?? "", HOME: home },
        cwd: home,
        args: ["--root", home, "--state-dir", join(home, "state"), "--allow-origin", site.origin]
      })
      const { outputFiles: [page] } = await build({
        entryPoints: [join(import.meta.dirname, "pages/copilotkit.jsx")],
        bundle: true,
        format: "esm",
        jsx: "automatic",
        define: { "process.env.NODE_ENV": "\"production\"" },
        // One React for all, that of the judges.
        alias: { "react": join(packages, "react"), "react-dom": join(packages, "react-dom") },
        loader: { ".css": "empty", ".woff": "empty", ".woff2": "empty", ".ttf": "empty" },
        nodePaths: [packages],
        write: false,
        logLevel: "error"
      })
      site.put(
        "/copilot/index.html",
        "<!doctype html><main></main><script type=\"module\" src=\"main.js\"></script>"
      )
      site.put("/copilot/main.js", page?.text ?? "")
    })
    afterAll(async () => {
      await daemon.stop()
      await site.end()
      rmSync(home, { recursive: true, force: true })
    })

    it("asks, and goes on after a reload in the middle of a message and with a question open", async () => {
      const browser = await launch()
      const { faults, page } = await openTab(await contextOf(browser))
      try {
        page.setDefaultTimeout(40_000)
        const relay = daemon.url.replace("ws:", "http:").replace(/\/$/, "")
        const address = `${site.origin}/copilot/index.html?thread=page&relay=${encodeURIComponent(relay)}`
        // What is sent while the page still asks for its agents and the thread goes nowhere: CopilotKit drops it.
        await page.goto(address, { waitUntil: "networkidle" })
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
