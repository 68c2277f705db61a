/** examples/chat in Chromium: useChat asks, shows diffs, and is itself again after it was loaded anew. */
import { build } from "esbuild"
import { mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { type Daemon, startDaemon } from "../support/daemon.js"
import { judgesOf } from "../support/judges.js"
import { contextOf, launch, openTab, whyNoBrowser } from "../support/page.js"
import { type Site, startSite } from "../support/site.js"

const judges = judgesOf("ai-sdk")
const reason = judges.missing ?? whyNoBrowser()
const home = realpathSync(mkdtempSync(join(tmpdir(), "ai-relay-chat-page-")))
const packages = join(judges.folder, "node_modules")
const example = join(import.meta.dirname, "../../examples/chat")

describe.skipIf(reason !== undefined)("examples/chat", () => {
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
      entryPoints: [join(example, "main.jsx")],
      bundle: true,
      format: "esm",
      jsx: "automatic",
      define: { "process.env.NODE_ENV": "\"production\"" },
      // One React for both, that of the judges.
      alias: { "react": join(packages, "react"), "react-dom": join(packages, "react-dom") },
      nodePaths: [packages],
      write: false
    })
    site.put(
      "/chat/index.html",
      readFileSync(join(example, "index.html"), "utf8").replace("main.jsx", "main.js")
    )
    site.put("/chat/main.js", page?.text ?? "")
  })
  afterAll(async () => {
    await daemon.stop()
    await site.end()
    rmSync(home, { recursive: true, force: true })
  })

  it("asks, shows a diff, and goes on after a reload in the middle of a message and of a question", async () => {
    const browser = await launch()
    try {
      const { faults, page } = await openTab(await contextOf(browser))
      page.setDefaultTimeout(40_000)
      const relay = daemon.url.replace("ws:", "http:").replace(/\/$/, "")
      await page.goto(`${site.origin}/chat/index.html?relay=${encodeURIComponent(relay)}#page`)
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
