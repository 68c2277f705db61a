/** The files beside a conversation, in the console: choosing a folder, reading, what git says, a commit, `@file`, a file dropped. */
import { execFileSync } from "node:child_process"
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Page } from "playwright-core"
import { describe, expect, it } from "vitest"
import { connect } from "../support/client.js"
import { installFakeClaude } from "../support/fakeClaude.js"
import { whyNoBrowser } from "../support/page.js"
import { areThere, isIdle, prompt, said, violations } from "./actions.js"
import { look, patience, setStage } from "./stage.js"

const missing = whyNoBrowser()
if (missing !== undefined) console.log(`skipping the files beside a conversation: ${missing}`)

const beside = (page: Page) => page.getByRole("complementary", { name: "Files and changes" })

describe.skipIf(missing !== undefined)("the files beside a conversation", () => {
  const stage = setStage((home) => Promise.resolve(installFakeClaude(home)))

  const project = (name: string) => {
    const folder = join(stage.home, name)
    const run = (...args: ReadonlyArray<string>) =>
      execFileSync("git", args, { cwd: folder, stdio: ["ignore", "pipe", "ignore"] }).toString("utf8").trim()
    mkdirSync(join(folder, "src"), { recursive: true })
    writeFileSync(join(folder, "src/total.ts"), "export const total = (cart) => cart.sum\n")
    writeFileSync(join(folder, "README.md"), "# Shop\n")
    run("init", "-q", "-b", "main")
    run("config", "user.name", "Ada")
    run("config", "user.email", "ada@example.com")
    run("add", "-A")
    run("commit", "-qm", "first")
    return { folder, run }
  }

  it("chooses a folder, shows files and what the agent changed, commits, names a file and takes one", async () => {
    const { folder, run } = project("shop")
    const page = await stage.open({ viewport: { width: 1440, height: 900 } })
    await page.goto(stage.url())
    await page.getByRole("radio", { name: /Claude/ }).check()
    await page.getByRole("button", { name: "Browse…" }).click()
    const picker = page.getByRole("dialog", { name: "Choose a folder" })
    await picker.getByRole("button", { name: /^shop/ }).waitFor()
    expect(await picker.getByRole("button", { name: /^state/ }).count()).toBe(0)
    await look(page, "files-picker")
    expect(await violations(page)).toEqual([])
    await picker.getByRole("button", { name: /^shop/ }).click()
    await picker.getByText(folder, { exact: true }).waitFor()
    await picker.getByRole("button", { name: "Choose this folder" }).click()
    expect(await page.getByLabel("Folder", { exact: true }).inputValue()).toBe(folder)
    await page.getByRole("button", { name: "Start session" }).click()
    await prompt(page, "WRITE notes.txt hello there")
    await isIdle(page)

    await page.getByRole("button", { name: "Files and changes" }).click()
    const panel = beside(page)
    await panel.getByRole("button", { name: "notes.txt", exact: true }).click()
    await panel.getByText("hello", { exact: true }).waitFor()
    await look(page, "files-changes")
    expect(await violations(page)).toEqual([])

    // What the agent does while it is open is seen without asking.
    await prompt(page, "WRITE src/total.ts mended")
    await panel.getByRole("button", { name: "total.ts src" }).click()
    await panel.getByText("mended").waitFor()
    await panel.getByRole("button", { name: "Open src/total.ts" }).click()
    await panel.getByRole("region", { name: "src/total.ts" }).getByText("mended").waitFor()
    await look(page, "files-view")
    expect(await violations(page)).toEqual([])
    await panel.getByRole("button", { name: "Add to prompt" }).click()
    const box = page.getByLabel("Prompt", { exact: true })
    await expect.poll(() => box.inputValue()).toBe("@src/total.ts ")
    await box.fill("")

    writeFileSync(
      join(folder, "logo.svg"),
      "<svg xmlns='http://www.w3.org/2000/svg' width='90' height='60'><script>alert(1)</script><rect width='90' height='60' fill='teal'/></svg>"
    )
    await panel.getByRole("button", { name: "Back to the files" }).click()
    await panel.getByLabel("Find a file").fill("logo")
    await panel.getByRole("button", { name: "logo.svg", exact: true }).click()
    const picture = panel.getByRole("img", { name: /^logo\.svg, \d+ B$/ })
    await expect.poll(
      () => picture.evaluate((image) => (image as unknown as { naturalWidth: number }).naturalWidth),
      { timeout: patience }
    ).toBe(90)
    await look(page, "files-picture")
    expect(await violations(page)).toEqual([])
    const download = page.waitForEvent("download")
    await panel.getByRole("button", { name: "Download" }).click()
    const saved = await download
    expect(saved.suggestedFilename()).toBe("logo.svg")
    expect(readFileSync(await saved.path(), "utf8")).toContain("teal")

    await panel.getByRole("tab", { name: "Changes" }).click()
    await panel.getByRole("button", { name: "Stage logo.svg" }).click()
    const staged = panel.getByRole("region", { name: "Staged 1", exact: true })
    await staged.getByRole("button", { name: "Unstage logo.svg" }).waitFor()
    await panel.getByRole("button", { name: "Stage all", exact: true }).click()
    await panel.getByRole("region", { name: "Staged 3", exact: true }).waitFor()
    await panel.getByRole("button", { name: "Unstage src/total.ts" }).click()
    await panel.getByRole("button", { name: "Unstage notes.txt" }).click()
    await staged.waitFor()
    await look(page, "files-staged")
    expect(await violations(page)).toEqual([])
    await panel.getByLabel("Commit message").fill("Add a logo")
    await panel.getByRole("button", { name: "Commit 1 staged file" }).click()
    await panel.getByText(/^Committed [0-9a-f]{8}$/).waitFor()
    expect(run("show", "--name-only", "--format=%s")).toBe("Add a logo\n\nlogo.svg")
    await panel.getByRole("checkbox", { name: "Include notes.txt" }).uncheck()
    await panel.getByLabel("Commit message").fill("Mend the total")
    await panel.getByRole("button", { name: "Commit 1 file" }).click()
    await expect.poll(() => run("log", "-1", "--format=%s"), { timeout: patience }).toBe("Mend the total")
    expect(run("status", "--porcelain")).toBe("?? notes.txt")
    await panel.getByRole("button", { name: "total.ts src" }).waitFor({ state: "detached" })
    await panel.getByLabel("Compare with…").fill("HEAD~1")
    await page.keyboard.press("Enter")
    await panel.getByText("Compared with HEAD~1").waitFor()
    await panel.getByRole("button", { name: "total.ts src" }).waitFor()

    await panel.getByRole("tab", { name: "Files" }).click()
    await panel.getByRole("button", { name: "Back to the files" }).click()
    await panel.getByRole("button", { name: "src", exact: true }).click()
    await panel.getByRole("button", { name: /^total\.ts/ }).waitFor()
    await panel.getByLabel("Find a file").fill("rdme")
    await panel.getByRole("button", { name: "README.md", exact: true }).waitFor()
    await look(page, "files-tree")
    await panel.getByRole("button", { name: "Close" }).click()
    await panel.waitFor({ state: "detached" })

    await box.focus()
    await page.keyboard.type("say @ttl")
    await page.getByRole("option", { name: /total\.ts/ }).waitFor()
    await look(page, "files-mention")
    expect(await violations(page)).toEqual([])
    await page.keyboard.press("Tab")
    await expect.poll(() => box.inputValue()).toBe("say @src/total.ts ")

    const data = await page.evaluateHandle(
      "(() => { const data = new DataTransfer(); data.items.add(new File(['a,b\\n1,2\\n'], '../orders.csv', { type: 'text/csv' })); return data })()"
    )
    await page.locator(".composer").dispatchEvent("drop", { dataTransfer: data })
    const attached = page.getByRole("list", { name: "Attachments" })
    await attached.locator("li[aria-busy=false]").waitFor()
    await look(page, "files-attached")
    expect(await violations(page)).toEqual([])
    // A folder, dropped with a file on the conversation: only the file can be attached.
    mkdirSync(join(stage.home, "holiday"))
    const debug = await page.context().newCDPSession(page)
    for (const type of ["dragEnter", "dragOver", "drop"] as const) {
      const files = [join(stage.home, "holiday"), join(folder, "README.md")]
      await debug.send("Input.dispatchDragEvent", {
        type,
        x: 700,
        y: 300,
        data: { items: [], files, dragOperationsMask: 1 }
      })
    }
    await page.getByText(/^holiday is a folder/).waitFor()
    await attached.getByText("README.md").waitFor()
    expect(await attached.getByText("holiday").count()).toBe(0)
    await areThere(attached.locator("li[aria-busy=false]"), 2)
    await page.getByRole("button", { name: "Send", exact: true }).click()
    await said(page, /Attached files:/)
    await isIdle(page)
    const [session = ""] = readdirSync(join(stage.home, "state/sessions"))
    const kept = join(stage.home, "state/sessions", session, "attachments/orders.csv")
    expect(readFileSync(kept, "utf8")).toBe("a,b\n1,2\n")
    await said(page, kept)
    expect(existsSync(join(folder, "attachments"))).toBe(false)
  })

  it("is a sheet on the phone, in the dark, in German", async () => {
    const { folder } = project("laden")
    writeFileSync(join(folder, "README.md"), "# Laden\n")
    const client = await connect(stage.url().replace("http", "ws"), {
      tool: "claude",
      folder,
      session_id: "laden",
      linger: 600
    })
    await client.waitFor("session_start")
    const page = await stage.open({
      viewport: { width: 390, height: 780 },
      colorScheme: "dark",
      locale: "de",
      hasTouch: true,
      isMobile: true
    })
    await page.goto(`${stage.url()}/#/s/laden`)
    await page.getByRole("button", { name: "Weitere Aktionen" }).tap()
    await page.getByRole("button", { name: "Dateien und Änderungen" }).tap()
    const sheet = page.getByRole("dialog", { name: "Dateien und Änderungen" })
    await sheet.getByRole("button", { name: "README.md", exact: true }).tap()
    await sheet.getByText("# Laden").waitFor()
    await look(page, "files-phone")
    expect(await violations(page)).toEqual([])
    await sheet.getByRole("tab", { name: "Dateien" }).tap()
    await sheet.getByRole("button", { name: /^README\.md/ }).tap()
    await sheet.getByRole("region", { name: "README.md" }).waitFor()
    expect(await violations(page)).toEqual([])
    await sheet.getByRole("button", { name: "In den Auftrag übernehmen" }).tap()
    await sheet.waitFor({ state: "detached" })
    const box = page.getByLabel("Auftrag", { exact: true })
    await expect.poll(() => box.inputValue(), { timeout: patience }).toBe("@README.md ")
    await box.fill("schau @tot")
    await page.getByRole("option", { name: /total\.ts/ }).tap()
    await expect.poll(() => box.inputValue()).toBe("schau @src/total.ts ")

    // A phone on its side has no room for the list, and none of its boxes makes the browser zoom.
    const side = await stage.open({ viewport: { width: 844, height: 390 }, hasTouch: true, isMobile: true })
    await side.goto(`${stage.url()}/#/s/laden`)
    await side.getByLabel("Prompt", { exact: true }).waitFor()
    const [main, prompt] = await Promise.all([
      side.locator("main").boundingBox(),
      side.getByLabel("Prompt", { exact: true }).boundingBox()
    ])
    expect(main?.width).toBe(844)
    expect((prompt?.y ?? 999) + (prompt?.height ?? 0)).toBeLessThan(390)
    const small =
      "[...document.querySelectorAll('input, select, textarea')].filter((box) => parseFloat(getComputedStyle(box).fontSize) < 16).length"
    expect(await side.evaluate(small)).toBe(0)
    await look(side, "phone-side")
    await side.goto(stage.url())
    await side.getByRole("heading", { name: "What should we work on?" }).waitFor()
    expect(await side.evaluate(small)).toBe(0)
    await client.close()
  })
})
