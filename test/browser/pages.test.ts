/** Pages that are not the console: what README and examples show works as it stands, from another origin, in a browser. */
import { buildSync } from "esbuild"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import type { Page } from "playwright-core"
import { afterAll, describe, expect, it } from "vitest"
import { whyNoBrowser } from "../support/page.js"
import { startSite } from "../support/site.js"
import { allow, answerQuestion, said, violations } from "./actions.js"
import { patience, setStage } from "./stage.js"

const missing = whyNoBrowser()
if (missing !== undefined) console.log(`skipping pages: ${missing}`)

const path = (name: string) => fileURLToPath(new URL(`../../${name}`, import.meta.url))
const readme = readFileSync(path("README.md"), "utf8")

/** The first block of README in that language, for a relay on another port, with the agent that needs nothing. */
const exampleOf = (language: string, relay: string): string => {
  const block = new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\`$`, "m").exec(readme)?.[1] ?? ""
  const found = block.replace("ws://localhost:8765", relay).replace("\"claude\"", "\"demo\"")
  expect(found).toContain("\"demo\"")
  return found
}

const bundle = (contents: string, built = false): string => {
  const { outputFiles } = buildSync({
    stdin: { contents, resolveDir: path("test/browser"), loader: "ts" },
    alias: built
      ? { "ai-relay/react": path("dist/react/index.js") }
      : { "ai-relay/client": path("src/client/browser.ts") },
    bundle: true,
    // React's strict mode mounts everything twice then.
    define: { "process.env.NODE_ENV": "\"development\"" },
    format: "esm",
    write: false
  })
  return outputFiles[0]?.text ?? ""
}

/** For people to look at: only where a folder for pictures is named. */
const shoot = async (page: Page, name: string) => {
  const folder = process.env["AI_RELAY_LOOK"]
  if (folder !== undefined) await page.screenshot({ path: join(folder, `${name}.png`) })
}

const styleOf = (page: Page, selector: string, name: string) =>
  page.evaluate(`getComputedStyle(document.querySelector("${selector}")).${name}`)

const shell = "<!doctype html><html lang=en><meta charset=utf-8><title>A page</title><body>"

describe.skipIf(missing !== undefined)("a page of one's own", async () => {
  const site = await startSite()
  const stage = setStage(undefined, ["--allow-origin", site.origin])
  afterAll(site.end)

  const relay = () => stage.url().replace("http:", "ws:")

  /** Says yes to whatever the page asks. */
  const open = async (address: string): Promise<{ page: Page; asked: ReadonlyArray<string> }> => {
    const page = await stage.open()
    const asked: Array<string> = []
    page.on("dialog", (dialog) => {
      asked.push(dialog.message())
      void dialog.accept()
    })
    await page.goto(site.origin + address)
    return { page, asked }
  }

  it("talks to an agent in the ten lines README shows", async () => {
    site.put("/readme.html", exampleOf("html", relay()))
    const { asked, page } = await open("/readme.html")
    await page.getByText("All 20 tests pass").waitFor()
    expect(asked.join()).toContain("May Edit run?")
  })

  it("talks to an agent in the three lines README shows for a bundler", async () => {
    const example = exampleOf("js", relay()).replace("connect({", `connect({ url: "${relay()}",`)
    site.put("/bundled.html", `${shell}<script type=module src=bundled.js></script>`)
    site.put("/bundled.js", bundle(`${example}\ndocument.body.append(text)`))
    const { page } = await open("/bundled.html")
    await page.getByText("All 20 tests pass").waitFor()
  })

  it("of examples/ answers what is typed", async () => {
    const { asked, page } = await open(`/examples/page.html?tool=demo&url=${encodeURIComponent(relay())}`)
    await page.getByRole("status").getByText("open").waitFor()
    await page.getByLabel("Prompt", { exact: true }).fill("Why is the total too high?")
    await page.keyboard.press("Enter")
    await page.locator("#answer").getByText("All 20 tests pass").waitFor()
    expect(asked.join()).toContain("May Edit run?")
    expect(await page.getByLabel("Prompt", { exact: true }).inputValue()).toBe("")
  })

  it("in React uses the hook of examples/", async () => {
    site.put("/hook.html", `${shell}<script type=module src=hook.js></script>`)
    site.put("/hook.js", bundle(readFileSync(path("test/browser/hookPage.ts"), "utf8")))
    const { page } = await open(`/hook.html?url=${encodeURIComponent(relay())}`)
    await page.getByRole("status").getByText("open").waitFor()
    await page.getByRole("button", { name: "Ask" }).click()
    for (const tool of ["AskUserQuestion", "Edit"]) {
      await page.getByRole("button", { name: `Allow ${tool}` }).click()
    }
    await page.getByRole("listitem").filter({ hasText: /^response [^]*All 20 tests pass/ }).waitFor()
    await expect.poll(() => page.getByRole("button", { name: "Allow" }).count(), { timeout: patience }).toBe(
      0
    )
    await page.getByLabel("Longest").getByText("All 20 tests pass").waitFor()
    expect(await page.getByLabel("Writing").textContent()).toBe("")
    const before = await page.getByRole("listitem").count()
    await page.reload()
    await page.getByRole("listitem").nth(before - 1).waitFor()
  })

  it("of an origin that is not allowed gets nothing", async () => {
    const other = await startSite()
    try {
      const page = await stage.open()
      other.put("/", shell)
      await page.goto(other.origin)
      const outcome = await page.evaluate(
        `new Promise((resolve) => {
          const socket = new WebSocket("${relay()}")
          socket.onopen = () => socket.send('{"tool":"demo"}')
          socket.onmessage = ({ data }) => resolve("said " + data)
          socket.onclose = () => resolve("closed")
        })`
      )
      expect(outcome).not.toContain("session_start")
    } finally {
      await other.end()
    }
  })

  it("draws the chat of ai-relay/react, which leaves the rest of the page as it is", async () => {
    site.put(
      "/chat.html",
      `${shell}<style>h1 { font: 20px serif }</style><link rel=stylesheet href=style.css>`
        + "<script type=module src=chat.js></script>"
    )
    site.put("/style.css", readFileSync(path("dist/react/style.css"), "utf8"))
    site.put("/highlight.worker.js", readFileSync(path("dist/react/highlight.worker.js"), "utf8"))
    site.put("/chat.js", bundle(readFileSync(path("test/browser/chatPage.ts"), "utf8"), true))
    const { page } = await open(`/chat.html?url=${encodeURIComponent(relay())}`)
    const status = page.getByLabel("Status")
    await status.getByText("ready").waitFor()
    await page.getByLabel("Prompt", { exact: true }).fill("Why is the total too high?")
    await page.keyboard.press("Enter")
    await status.getByText("asking").waitFor()
    await answerQuestion(page)
    await page.getByRole("button", { name: "Allow once" }).waitFor()
    await shoot(page, "chat")
    await allow(page)
    await said(page, /All 20 tests pass/)
    await status.getByText("ready").waitFor()
    expect(await page.getByLabel("Counts").textContent()).toMatch(/^\d{2,} 0 0$/)
    expect(await styleOf(page, "h1", "fontFamily")).toBe("serif")
    expect(await styleOf(page, ".composer-box", "borderRadius")).toBe("18px")
    const chat = await page.locator(".ai-relay").boundingBox()
    const box = await page.locator(".composer-box").boundingBox()
    expect((box?.y ?? 0) + (box?.height ?? 0)).toBeLessThanOrEqual((chat?.y ?? 0) + (chat?.height ?? 0))
    expect(await styleOf(page, "#theirs", "borderRadius")).not
      .toBe("10px")
    const before = await page.getByLabel("Counts").textContent()
    await page.reload()
    await said(page, /All 20 tests pass/)
    expect(await page.getByLabel("Counts").textContent()).toBe(before)
    expect(await violations(page)).toEqual([])
  })
})
