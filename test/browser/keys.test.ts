/** What a person does with the keyboard, and with what was said before: found, copied, said again. */
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Page } from "playwright-core"
import { describe, expect, it } from "vitest"
import { connect } from "../support/client.js"
import { phone, whyNoBrowser } from "../support/page.js"
import { said, violations } from "./actions.js"
import { look, patience, setStage } from "./stage.js"

const missing = whyNoBrowser()
if (missing !== undefined) console.log(`skipping the keyboard in the console: ${missing}`)

describe.skipIf(missing !== undefined)("the console", () => {
  const stage = setStage()

  /** A session that has begun with this, and waits for an answer. */
  const begun = async (session_id: string, text: string) => {
    const folder = join(stage.home, session_id)
    mkdirSync(folder, { recursive: true })
    const client = await connect(stage.url().replace("http:", "ws:"), { tool: "demo", folder, session_id })
    await client.waitFor("session_start")
    client.send({ text })
    await client.waitFor("permission_request", { within: patience })
    await client.close()
  }
  const palette = (page: Page) => page.getByRole("combobox", { name: "Commands and sessions" })

  it("has a palette of commands and sessions on Ctrl+K, and lists its keys on ?", async () => {
    await begun("first", "Mend the total")
    const page = await stage.open()
    await page.goto(stage.url())
    await page.getByRole("link", { name: /Mend the total/ }).waitFor()
    expect(await page.title()).toBe("(1) ai-relay")
    await page.keyboard.press("Control+k")
    await palette(page).waitFor()
    expect(await violations(page)).toEqual([])
    await look(page, "palette")
    await palette(page).fill("mend tot")
    await page.keyboard.press("Enter")
    await said(page, "Mend the total")
    await page.keyboard.press("Alt+n")
    await page.getByRole("heading", { name: "What should we work on?" }).waitFor()
    await page.keyboard.press("Alt+w")
    await said(page, "Mend the total")

    // A question mark that is written is one.
    await page.getByLabel("Prompt", { exact: true }).fill("why")
    await page.getByLabel("Prompt", { exact: true }).press("?")
    expect(await page.getByLabel("Prompt", { exact: true }).inputValue()).toBe("why?")
    await page.getByRole("log").focus()
    await page.keyboard.press("?")
    await page.getByRole("heading", { name: "Keyboard shortcuts" }).waitFor()
    expect(await violations(page)).toEqual([])
    await look(page, "shortcuts")
    await page.keyboard.press("Escape")
    await page.keyboard.press("Control+k")
    await palette(page).fill("settings")
    await page.keyboard.press("Enter")
    await page.getByRole("heading", { name: "Settings" }).waitFor()
    await page.getByText("on this machine", { exact: true }).waitFor()
    expect(await violations(page)).toEqual([])
  })

  it("copies a conversation as Markdown, and puts a prompt into the box again", async () => {
    await begun("copied", "Mend the **rounding**")
    const page = await stage.open({ permissions: ["clipboard-read", "clipboard-write"] })
    await page.goto(`${stage.url()}/#/s/copied`)
    await said(page, /Mend the/)
    await page.keyboard.press("Control+k")
    await palette(page).fill("markdown")
    await page.keyboard.press("Enter")
    await expect.poll(() => page.evaluate("navigator.clipboard.readText()"), { timeout: patience })
      .toContain("> Mend the **rounding**")
    // By key: the log may follow its end while a mouse is on its way.
    await page.getByRole("button", { name: "Edit and send again" }).first().press("Enter")
    await expect.poll(() => page.getByLabel("Prompt", { exact: true }).inputValue(), { timeout: patience })
      .toBe("Mend the **rounding**")
    expect(await violations(page)).toEqual([])

    // As on a page that came over plain http, from another machine.
    const plain = await stage.open()
    await plain.addInitScript("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    await plain.goto(`${stage.url()}/#/s/copied`)
    await said(plain, /Mend the/)
    expect(await plain.evaluate("navigator.clipboard")).toBeUndefined()
    await plain.keyboard.press("Control+k")
    await palette(plain).fill("markdown")
    await plain.keyboard.press("Enter")
    const box = plain.getByLabel("Prompt", { exact: true })
    await box.focus()
    await expect.poll(async () => {
      await box.fill("")
      await plain.keyboard.press("Control+v")
      return box.inputValue()
    }, { timeout: patience }).toContain("> Mend the **rounding**")
  })

  it("shows what a search has found where it was said, and marks it", async () => {
    const client = await connect(stage.url().replace("http:", "ws:"), {
      tool: "generic",
      command: ["true"],
      folder: stage.home,
      session_id: "unused"
    })
    await client.close()
    const folder = join(stage.home, "long")
    mkdirSync(folder, { recursive: true })
    const long = await connect(stage.url().replace("http:", "ws:"), {
      tool: "demo",
      folder,
      session_id: "long"
    })
    await long.waitFor("session_start")
    for (let turn = 0; turn < 12; turn++) {
      const text = turn === 2 ? "Where is the xylophone?" : `Turn ${turn}\n${"and more of it\n".repeat(12)}`
      const { seq = 0 } = long.events.at(-1) ?? {}
      long.send({ text })
      await long.waitFor("turn_start", { after: seq })
      long.send({ type: "interrupt" })
      await long.waitFor("turn_end", { after: seq })
    }
    await long.close()
    for (const [name, options] of [["desktop", {}], ["phone", { viewport: phone }]] as const) {
      const page = await stage.open(options)
      await page.goto(stage.url())
      if (name === "phone") await page.getByRole("button", { name: "Sessions", exact: true }).click()
      await page.getByRole("searchbox", { name: "Search sessions" }).fill("xylophone")
      const found = page.getByRole("region", { name: "Found in conversations" }).getByRole("link")
      await found.waitFor()
      await look(page, `search-${name}`)
      expect(await violations(page)).toEqual([])
      await found.click()
      const marked = page.locator(".row[data-found=true]")
      await marked.getByText("Where is the xylophone?").waitFor()
      const box = await marked.boundingBox()
      expect(box?.y).toBeGreaterThan(0)
      expect(box?.y).toBeLessThan(page.viewportSize()?.height ?? 0)
      // It stays there: what was said last does not pull it away.
      await page.getByRole("button", { name: "Jump to latest" }).waitFor()
      await look(page, `search-found-${name}`)
    }
  })

  it("tells looks in one row, and what a subagent does in the row of its call, with how far it is", async () => {
    const call = (tool_use_id: string, tool: string, args: object, parent?: string) => ({
      type: "tool_call",
      tool_use_id,
      tool,
      args,
      ...(parent !== undefined && { metadata: { parent_tool_use_id: parent } })
    })
    const result = (tool_use_id: string) => ({
      type: "tool_result",
      tool_use_id,
      status: "ok",
      text: "found"
    })
    const reads = ["a", "b", "c", "d"].flatMap((name) => [
      call(`read-${name}`, "Read", { file_path: `${name}.ts` }),
      result(`read-${name}`)
    ])
    const inner = ["x", "y"].flatMap((name) => [
      call(`inner-${name}`, "Grep", { pattern: `needle-${name}` }, "task"),
      ...name === "x" ? [result("inner-x")] : []
    ])
    const events = [
      { type: "turn_start" },
      ...reads,
      { type: "response", text: "I know enough." },
      call("task", "Task", { description: "Look around" }),
      ...inner,
      { type: "turn_end", stop_reason: "cancelled" },
      { type: "turn_start" },
      { type: "turn_end", stop_reason: "end_turn" }
    ]
    writeFileSync(
      join(stage.home, "steps.ndjson"),
      events.map((event, index) => JSON.stringify({ ...event, seq: index + 1, ts: 1 })).join("\n")
    )
    const client = await connect(stage.url().replace("http:", "ws:"), {
      tool: "replay",
      folder: stage.home,
      command: ["steps.ndjson", "--on-prompt"],
      session_id: "steps",
      linger: 600
    })
    await client.waitFor("session_start")
    const page = await stage.open()
    await page.goto(`${stage.url()}/#/s/steps`)
    await page.getByText(/Ready when you are/).waitFor()
    client.send({ text: "go" })
    await client.waitFor("turn_end")
    const looks = page.getByRole("button", { name: /4 steps/ })
    await looks.waitFor()
    expect(await page.getByText("a.ts").count()).toBe(0)
    const steps = page.getByRole("button", { name: /^2 steps/ })
    await steps.waitFor()
    expect(await page.getByText("needle-x").count()).toBe(0)
    await look(page, "steps")
    await looks.click()
    await page.getByText("a.ts").first().waitFor()
    await steps.click()
    await page.getByText("needle-x").first().waitFor()
    expect(await violations(page)).toEqual([])
    await client.close()
  })
})
