/** What a session may use, in the console: the question at a cap, the countdown to the end of a limit, prompts for later. */
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "vitest"
import { installFakeClaude } from "../support/fakeClaude.js"
import { whyNoBrowser } from "../support/page.js"
import { isIdle, prompt, violations } from "./actions.js"
import { setStage } from "./stage.js"

const missing = whyNoBrowser()
if (missing !== undefined) console.log(`skipping budgets in the console: ${missing}`)

const billing = fileURLToPath(new URL("../support/billingClaude.sh", import.meta.url))

describe.skipIf(missing !== undefined || process.platform !== "linux")("what a session may use", () => {
  const stage = setStage(
    (home) => Promise.resolve(installFakeClaude(home, billing)),
    ["--budget", "session.tokens=2000"]
  )

  const open = async () => {
    const page = await stage.open()
    await page.goto(stage.url())
    await page.getByRole("radio", { name: /Claude Code/ }).check()
    await page.getByLabel("Folder", { exact: true }).fill(stage.home)
    await page.getByRole("button", { name: "Start session" }).click()
    await page.getByText("Ready when you are").waitFor()
    return page
  }

  it("is asked about at the cap, and raised by as much as is typed", async () => {
    const page = await open()
    await prompt(page, "spend")
    const ask = page.getByRole("region", { name: "Budget used up" })
    await ask.getByText("This session has used 2,000 tokens of 2,000 tokens.").waitFor()
    expect(await violations(page)).toEqual([])
    await ask.getByLabel(/How much more/).fill("50000")
    await ask.getByRole("button", { name: "Continue" }).click()
    await isIdle(page)
  })

  it("counts down to the end of a limit, and sends again if it is switched on", async () => {
    const page = await open()
    await prompt(page, "LIMIT")
    const banner = page.locator(".banner.limit")
    await banner.getByText(/The agent’s limit is used up until/).waitFor()
    const resumes = banner.getByRole("switch", { name: "Send it again automatically" })
    expect(await resumes.isChecked()).toBe(false)
    await resumes.click()
    await banner.getByText(/Your prompt is sent again in/).waitFor()
    await banner.getByRole("timer").getByText(/^(1:00|59):\d\d$/).waitFor()
    expect(await violations(page)).toEqual([])
    await page.reload()
    await banner.getByRole("timer").waitFor()
    await resumes.click()
    await banner.getByText("Send your prompt again after that.").waitFor()
  })

  it("plans a prompt for later, pauses it, and takes it back", async () => {
    const page = await open()
    await page.getByRole("button", { name: "Schedules" }).click()
    const dialog = page.getByRole("dialog", { name: "Schedules" })
    await dialog.getByText("No prompts are scheduled.").waitFor()
    await dialog.getByLabel("Prompt to schedule").fill("look at the build")
    await dialog.getByLabel("When").selectOption("every")
    await dialog.getByLabel(/Cron expression/).fill("whenever")
    await dialog.getByRole("button", { name: "Schedule", exact: true }).click()
    await dialog.getByRole("alert").getByText(/five fields/).waitFor()
    await dialog.getByLabel("Prompt to schedule").fill("look at the build")
    await dialog.getByLabel(/Cron expression/).fill("0 9 * * 1-5")
    await dialog.getByRole("button", { name: "Schedule", exact: true }).click()
    await dialog.getByText(/0 9 \* \* 1-5/).waitFor()
    expect(await violations(page)).toEqual([])
    await dialog.getByRole("button", { name: "Pause: look at the build" }).click()
    await dialog.getByText(/^paused/).waitFor()
    await dialog.getByRole("button", { name: "Delete: look at the build" }).click()
    await dialog.getByText("No prompts are scheduled.").waitFor()
  })
})
