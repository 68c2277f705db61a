/** The console with the real Claude Code CLI behind it; only its model is scripted. */
import { execFile } from "node:child_process"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { promisify } from "node:util"
import type { Page } from "playwright-core"
import { afterAll, afterEach, describe, expect, it } from "vitest"
import { agentEnv, whyNotInstalled } from "../support/agents.js"
import { type ModelApi, startModelApi } from "../support/modelApi/ModelApi.js"
import { reply, slow } from "../support/modelApi/script.js"
import { whyNoBrowser } from "../support/page.js"
import { allow, areThere, isIdle, prompt, said } from "./actions.js"
import { patience, setStage } from "./stage.js"

const missing = whyNoBrowser() ?? whyNotInstalled("claude")
if (missing !== undefined) console.log(`skipping Claude in the console: ${missing}`)

const png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

describe.skipIf(missing !== undefined)("Claude Code in the console", () => {
  let api: ModelApi | undefined
  let environment: Readonly<Record<string, string>> = {}
  const model = (): ModelApi => {
    if (api === undefined) throw new Error("the model is there before the first test")
    return api
  }
  const stage = setStage(async (home) => {
    api = await startModelApi()
    environment = agentEnv("claude", { home, api })
    return environment
  })
  afterEach(() => api?.reset())
  afterAll(() => api?.close())

  const open = async (): Promise<Page> => {
    const page = await stage.open()
    await page.goto(stage.url())
    await page.getByRole("radio", { name: /Claude Code/ }).check()
    await page.getByLabel("Folder", { exact: true }).fill(stage.home)
    await page.getByRole("button", { name: "Start session" }).click()
    await page.getByText("Ready when you are").waitFor()
    return page
  }
  const shell = { kind: "shell", command: "touch made-by-tool.txt && echo made-by-tool" } as const
  const ticks = (page: Page) => page.getByRole("log").getByText(/tick 3/)

  it("streams an answer, and knows Claude's models and commands", async () => {
    const page = await open()
    await prompt(page, "hello")
    await said(page, "Hello from the scripted model.")
    await isIdle(page)
    expect(await page.getByLabel("Model", { exact: true }).locator("option").count()).toBeGreaterThan(1)
    await page.getByLabel("Prompt", { exact: true }).fill("/comp")
    await page.getByRole("option", { name: /\/compact/ }).waitFor()
  })

  it("runs what is allowed, edited by the user", async () => {
    model().on(/RUN/, [reply({ tool: shell }), reply({ text: "It ran." })])
    const page = await open()
    await prompt(page, "RUN it")
    await page.getByRole("button", { name: "Edit", exact: true }).click()
    await page.getByLabel("Input of the tool").fill("echo edited by a person")
    await page.getByRole("button", { name: "Allow as edited" }).click()
    await said(page, "It ran.")
    // What ran is what is told, and what was asked for is told apart.
    await page.getByRole("button", { name: /done.*Run.*echo edited by a person.*edited by you/ }).click()
    await page.getByText("Edited. This ran instead:").waitFor()
    await page.getByText("The agent asked for:").waitFor()
    await page.getByLabel("Output").getByText("edited by a person").waitFor()
  })

  it("does not run what is denied, and tells Claude why", async () => {
    model().on(/RUN/, [reply({ tool: shell }), reply({ text: "Then not." })])
    const page = await open()
    await prompt(page, "RUN it")
    await page.getByRole("button", { name: "Deny" }).click()
    await page.getByLabel("Reason").fill("not on a Tuesday")
    await page.keyboard.press("Enter")
    await said(page, "Then not.")
    expect(JSON.stringify(model().requests.map(({ body }) => body))).toContain("not on a Tuesday")
  })

  it("shows how a file changed", async () => {
    const path = join(stage.home, "made.ts")
    model().on(/WRITE/, [
      reply({ tool: { kind: "write", path, content: "export const one = 1\n" } }),
      reply({ text: "Written." })
    ])
    const page = await open()
    await prompt(page, "WRITE it")
    await allow(page)
    await said(page, "Written.")
    await page.getByRole("region", { name: "Changes of made.ts" }).getByText("export const one = 1").waitFor()
    expect(readFileSync(path, "utf8")).toBe("export const one = 1\n")
  })

  it("stops a turn with Escape, and goes on", async () => {
    model().on(/SLOW/, [slow(200, 100)])
    const page = await open()
    await prompt(page, "SLOW please")
    await ticks(page).waitFor()
    await prompt(page, "and then this")
    await page.getByRole("button", { name: "Remove from queue: and then this" }).waitFor()
    await page.keyboard.press("Escape")
    await page.getByText(/^Stopped/).waitFor()
    // What was queued is not run: it is in the box again.
    const box = page.getByLabel("Prompt", { exact: true })
    await expect.poll(() => box.inputValue(), { timeout: patience }).toBe("and then this")
    await isIdle(page)
    await prompt(page, "and now?")
    await said(page, "Hello from the scripted model.")
  })

  it("hands what is said to the running turn, with Ctrl+Enter or the button", async () => {
    model().on(/RUN/, [reply({ tool: shell }), reply({ text: "Both seen." })])
    const page = await open()
    await prompt(page, "RUN it")
    await page.getByRole("region", { name: "Permission" }).waitFor()
    await page.getByLabel("Prompt", { exact: true }).fill("mind the gap")
    await page.keyboard.press("Control+Enter")
    await said(page, "mind the gap")
    await page.getByLabel("Prompt", { exact: true }).fill("and the step")
    await page.getByRole("button", { name: "Steer" }).click()
    await said(page, "and the step")
    await areThere(page.getByText("sent while it was working"), 2)
    await allow(page)
    await said(page, "Both seen.")
    await isIdle(page)
    const seen = JSON.stringify(model().requests.findLast(({ model }) => model !== undefined)?.body)
    expect(seen).toContain("mind the gap")
    expect(seen).toContain("and the step")
  })

  it("shows Claude's own messages beside the events when they are asked for", async () => {
    const page = await open()
    await prompt(page, "hello")
    await said(page, "Hello from the scripted model.")
    await isIdle(page)
    await page.getByRole("button", { name: "Events" }).click()
    const dialog = page.getByRole("dialog")
    await dialog.getByLabel("Filter").fill("assistant_message")
    await dialog.getByRole("button", { name: /assistant_message/ }).click()
    await dialog.getByText("\"type\": \"assistant_message\"").waitFor()
    await areThere(dialog.getByText("\"raw\""), 0)
    await dialog.getByLabel("Native messages").check()
    await dialog.getByRole("button", { name: /assistant_message/ }).click()
    // Claude's own word for it.
    await dialog.getByText("\"raw\"").filter({ hasText: "\"type\": \"assistant\"" }).waitFor()
    await dialog.getByLabel("Native messages").uncheck()
    await dialog.getByRole("button", { name: /assistant_message/ }).click()
    await dialog.getByText("\"type\": \"assistant_message\"").waitFor()
    await areThere(dialog.getByText("\"raw\""), 0)
  })

  it("hands an image that was pasted to the model", async () => {
    const page = await open()
    await page.getByLabel("Prompt", { exact: true }).focus()
    // As a browser pastes a picture; a test has no clipboard with one.
    await page.evaluate(`{
      const bytes = Uint8Array.from(atob("${png}"), (char) => char.charCodeAt(0))
      const data = new DataTransfer()
      data.items.add(new File([bytes], "shot.png", { type: "image/png" }))
      document.activeElement.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }))
    }`)
    await page.getByRole("img", { name: "shot.png" }).waitFor()
    await prompt(page, "LOOK at this")
    await said(page, "Hello from the scripted model.")
    await page.getByRole("img", { name: "Attached 1" }).waitFor()
    const request = model().requests.findLast(({ prompt }) => prompt?.includes("LOOK"))
    expect(JSON.stringify(request?.body)).toContain("\"type\":\"image\"")
  })

  it("loses no word when the page is loaded again in mid-turn", async () => {
    model().on(/SLOW/, [slow(80, 100)])
    const page = await open()
    await prompt(page, "SLOW please")
    await ticks(page).waitFor()
    await page.reload()
    await said(page, /^tick 1 tick 2 .* tick 79 tick 80/)
    await said(page, "SLOW please")
  })

  it("comes back by itself when the relay was killed and started again", async () => {
    model().on(/SLOW/, [slow(300, 100)])
    const page = await open()
    await prompt(page, "remember me")
    await said(page, "Hello from the scripted model.")
    await prompt(page, "SLOW please")
    await ticks(page).waitFor()
    await stage.crash(() => page.getByText(/Connection lost/).waitFor())
    await said(page, /The relay was restarted during this turn/)
    await isIdle(page)
    await said(page, /^tick 1 tick 2 tick 3/)
    await prompt(page, "do you?")
    await page.getByRole("log").getByText("Hello from the scripted model.").nth(1).waitFor()
    const request = model().requests.findLast(({ prompt }) => prompt?.includes("do you?"))
    expect(JSON.stringify(request?.body)).toContain("remember me")
  })

  it("shows the same in two tabs, and an answer given in one closes the card in the other", async () => {
    model().on(/RUN/, [reply({ tool: shell }), reply({ text: "It ran." })])
    const first = await open()
    const second = await stage.another(first)
    await second.goto(first.url())
    await second.getByText("Ready when you are").waitFor()
    await prompt(first, "RUN it")
    await second.getByRole("region", { name: "Permission" }).waitFor()
    await first.getByRole("region", { name: "Permission" }).waitFor()
    await allow(second)
    await first.getByRole("region", { name: "Permission" }).waitFor({ state: "detached" })
    for (const page of [first, second]) {
      await said(page, "RUN it")
      await said(page, "It ran.")
      await isIdle(page)
    }
  })

  it("is handed over to a terminal, shows what is said there, and is taken back", async () => {
    model().on(/say one/, reply({ text: "one it is" }))
    model().on(/say two/, reply({ text: "two it is" }))
    model().on(/say three/, reply({ text: "three it is" }))
    const page = await open()
    await prompt(page, "say one")
    await said(page, "one it is")
    await isIdle(page)
    await page.getByRole("button", { name: "Continue in the terminal" }).click()
    await page.getByRole("dialog").getByRole("button", { name: "Continue in the terminal" }).click()
    const banner = page.locator(".native-banner")
    const shell = await banner.locator("code").innerText()
    expect(shell).toMatch(/^cd -- \S+ && claude --resume [0-9a-f-]{36}$/)
    await promisify(execFile)("sh", ["-c", `${shell} -p "say two"`], { env: environment, timeout: 60_000 })
    await said(page, "two it is")
    await banner.getByRole("button", { name: "Continue here" }).click()
    await banner.waitFor({ state: "detached" })
    await prompt(page, "say three")
    await said(page, "three it is")
    await isIdle(page)
    expect(await page.locator(".row[data-kind=user]").allInnerTexts()).toEqual([
      "say one",
      "say two",
      "say three"
    ])
    const { body } = await model().called(/say three/)
    for (const word of ["say one", "one it is", "say two", "two it is"]) {
      expect(JSON.stringify(body)).toContain(word)
    }
  })
})
