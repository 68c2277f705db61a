/** Conversations of a terminal in the console: found in the list, followed while the terminal has them open. */
import { describe, expect, it } from "vitest"
import { makeTerminal } from "../support/nativeTerminal.js"
import { phone, whyNoBrowser } from "../support/page.js"
import { said, violations } from "./actions.js"
import { setStage } from "./stage.js"

const missing = whyNoBrowser()
if (missing !== undefined) console.log(`skipping conversations of a terminal in the console: ${missing}`)

describe.skipIf(missing !== undefined || process.platform !== "linux")("conversations of a terminal", () => {
  const stage = setStage()

  it("are listed, found by their words, and read along as the terminal writes", async () => {
    const mend = makeTerminal(stage.home)
    mend.turn("Mend the total")
    const write = makeTerminal(stage.home)
    write.turn("Write a post")
    mend.openTerminal("busy")
    const page = await stage.open({ viewport: phone })
    await page.goto(stage.url())
    const list = page.getByRole("region", { name: "Continue from your terminal" })
    await list.getByRole("button", { name: /Write a post/ }).waitFor()
    await list.getByRole("button", { name: /Mend the total.*Open in a terminal/s }).waitFor()
    await list.getByLabel("Search conversations").fill("total")
    await list.getByRole("button", { name: /Write a post/ }).waitFor({ state: "detached" })
    expect(await violations(page)).toEqual([])

    await list.getByRole("button", { name: /Mend the total/ }).click()
    await said(page, "terminal: Mend the total")
    await page.getByText(/has this conversation open in a terminal\. You are following it/).waitFor()
    expect(await page.getByLabel("Prompt", { exact: true }).isDisabled()).toBe(true)
    await page.getByRole("button", { name: "Continue in a copy" }).waitFor()
    mend.prompt("And the tax")
    await said(page, "And the tax")
    mend.openTerminal("waiting", { waitingFor: "permission prompt" })
    await page.getByText(/waits for you in the terminal: permission prompt/).waitFor()
    expect(await violations(page)).toEqual([])
    mend.answer("Both are right now.")
    await said(page, "Both are right now.")
    mend.quitTerminal()
    const banner = page.locator(".native-banner")
    await banner.getByText(`cd -- ${mend.folder} && claude --resume ${mend.id}`).waitFor()
    await banner.getByRole("button", { name: "Copy" }).click()
    await banner.getByRole("button", { name: "Copied" }).waitFor()
    expect(await page.getByLabel("Prompt", { exact: true }).isDisabled()).toBe(false)
    expect(await page.locator(".row[data-kind=user]").count()).toBe(2)
  })

  it("are followed by a click when a terminal opened them first", async () => {
    const terminal = makeTerminal(stage.home)
    terminal.turn("Count the carts")
    const page = await stage.open()
    await page.goto(stage.url())
    const found = page.getByRole("button", { name: /Count the carts/ })
    await found.waitFor()
    // The list on the page does not know of it yet.
    terminal.openTerminal()
    await found.click()
    await page.getByRole("alert").getByText(/quit it there/).waitFor()
    await page.getByRole("button", { name: "Follow it" }).click()
    await said(page, "terminal: Count the carts")
    await page.getByText(/You are following it/).waitFor()
    terminal.quitTerminal()
    await page.getByRole("button", { name: "Continue here" }).waitFor()
  })
})
