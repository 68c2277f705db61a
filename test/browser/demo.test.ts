/** The console with nothing installed: the demo, from the first paint to the transcript. */
import { readFileSync } from "node:fs"
import type { Page } from "playwright-core"
import { describe, expect, it } from "vitest"
import { desktop, phone, whyNoBrowser } from "../support/page.js"
import { allow, answerQuestion, areThere, isIdle, prompt, said, startDemo, violations } from "./actions.js"
import { setStage } from "./stage.js"

const missing = whyNoBrowser()
if (missing !== undefined) console.log(`skipping the console: ${missing}`)

/** Whether a session's name has room, its state is not cut, and nothing lies over anything in its header. */
const headOf = (page: Page) =>
  page.evaluate(`(() => {
    const parts = ["h1", ".bar-state", ".meters", ".bar-more", ".only-phone"].map((name) => ({
      name, box: document.querySelector(".session-bar " + name).getBoundingClientRect()
    }))
    const state = document.querySelector(".session-bar .bar-state")
    return {
      name: parts[0].box.width > innerWidth * 0.6,
      state: state.scrollWidth <= state.clientWidth,
      overlaps: parts.flatMap((one, at) => parts.slice(at + 1).filter(({ box }) =>
        one.box.left < box.right && box.left < one.box.right && one.box.top < box.bottom - 1 && box.top + 1 < one.box.bottom
      ).map(({ name }) => one.name + " over " + name))
    }
  })()`)

describe.skipIf(missing !== undefined)("the console's demo", () => {
  const stage = setStage()

  const finish = async (page: Page) => {
    await answerQuestion(page)
    await allow(page)
    await said(page, /All 20 tests pass/)
    await isIdle(page)
  }

  it("shows everything an agent can say", async () => {
    const page = await stage.open()
    await startDemo(stage, page)
    await said(page, "Why is the total of some carts a cent too high?")
    await page.getByRole("button", { name: /^Thought/ }).waitFor()
    await said(page, "I'll reproduce it first")
    // Its live output stays open, for it failed.
    await page.getByLabel("Output").getByText(/1 failed \| 19 passed/).waitFor()
    await page.getByText("exit 1").waitFor()
    await page.getByRole("button", { name: /Round once, at the end.*2 of 4/ }).click()
    await areThere(page.locator(".plan-steps li"), 4)
    await page.getByRole("button", { name: /2 of 4/ }).click()
    await page.getByRole("form", { name: "Question" }).waitFor()
    await answerQuestion(page)
    // What is to be allowed is seen before it is.
    const asked = page.getByRole("region", { name: "Permission" })
    await asked.getByRole("heading", { name: /Edit total\.ts\?/ }).waitFor()
    await asked.getByText("const net = items.reduce").waitFor()
    await page.locator(".bar-state", { hasText: /· waiting for you$/ }).waitFor()
    await allow(page)
    await said(page, /All 20 tests pass/)
    await isIdle(page)
    const diff = page.getByRole("region", { name: "Changes of total.ts" })
    await diff.waitFor()
    await areThere(diff.locator("tr[data-kind=added]"), 5)
    // As a person does, so that the page does not follow its end meanwhile.
    await page.locator(".scroller").hover()
    await page.mouse.wheel(0, -300)
    await page.getByRole("button", { name: "Jump to latest" }).waitFor()
    await page.getByRole("button", { name: "Show side by side" }).click()
    await areThere(diff.locator("td.line[data-kind=removed]"), 7)
    await diff.locator(".hljs-keyword").first().waitFor()
    expect(await page.getByRole("table").first().isVisible()).toBe(true)
    await page.getByText("$0.04", { exact: true }).waitFor()
    expect(await page.getByRole("meter", { name: "Context" }).getAttribute("aria-valuenow")).toBe("12")
    await page.getByRole("link", { name: /Why is the total of some carts.*Demo · 1 turn/ }).waitFor()
  })

  it("does what is denied not at all", async () => {
    const page = await stage.open()
    await startDemo(stage, page)
    await answerQuestion(page)
    await page.getByRole("button", { name: "Deny" }).click()
    await page.getByLabel("Reason").fill("not today")
    await page.getByRole("button", { name: "Deny", exact: true }).click()
    await said(page, /Then I leave the file as it is/)
    expect(await page.getByRole("region", { name: "Changes of total.ts" }).count()).toBe(0)
  })

  it("is used without a mouse", async () => {
    const page = await stage.open()
    await page.goto(stage.url())
    // Where an agent is installed that one is chosen at first.
    await page.getByRole("radio", { name: /Demo/ }).focus()
    await page.keyboard.press("Space")
    await page.keyboard.press("Enter")
    // It plays at once.
    await page.getByRole("form", { name: "Question" }).waitFor()
    await page.getByLabel("Prompt", { exact: true }).focus()
    await page.keyboard.press("Escape")
    await page.getByText(/^Stopped/).waitFor()
    await isIdle(page)
    await page.keyboard.type("/de")
    await page.getByRole("option", { name: /\/demo/ }).waitFor()
    await page.keyboard.press("Tab")
    expect(await page.getByLabel("Prompt", { exact: true }).inputValue()).toBe("/demo ")
    await page.keyboard.press("Enter")
    await page.getByRole("form", { name: "Question" }).waitFor()
    await page.keyboard.press("Escape")
    await page.getByText(/^Stopped/).nth(1).waitFor()
    await isIdle(page)
  })

  it("queues what is said during a turn, and takes it back", async () => {
    const page = await stage.open()
    await startDemo(stage, page)
    await page.locator(".bar-state", { hasText: /· working$/ }).waitFor()
    await prompt(page, "and then this")
    await page.getByRole("list", { name: "Queued prompts" }).getByText("and then this").waitFor()
    await page.getByRole("button", { name: "Remove from queue: and then this" }).click()
    await page.getByRole("list", { name: "Queued prompts" }).waitFor({ state: "detached" })
  })

  it("changes mode and model", async () => {
    const page = await stage.open()
    await startDemo(stage, page)
    await page.getByLabel("Mode", { exact: true }).selectOption("plan")
    await page.getByLabel("Model", { exact: true }).selectOption("demo-again")
    await page.getByRole("button", { name: "Events" }).click()
    await page.getByLabel("Filter").fill("permission_mode\":\"plan")
    await page.locator(".event-type", { hasText: "status" }).first().waitFor()
  })

  it("shows every event, finds one, and gives the transcript", async () => {
    const page = await stage.open()
    await startDemo(stage, page)
    await finish(page)
    await page.getByRole("button", { name: "Events" }).click()
    await page.getByLabel("Filter").fill("file_diff")
    await page.getByRole("button", { name: /file_diff/ }).click()
    await page.getByRole("dialog").getByText("\"file_path\": \"/shop/src/total.ts\"").waitFor()
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "Transcript" }).click()
    ])
    const events = readFileSync(await download.path(), "utf8").trim().split("\n").map((line) =>
      JSON.parse(line)
    )
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1))
    expect(events.at(-1)).toMatchObject({ type: "turn_end" })
  })

  it("loses no word when the page is loaded again in mid-turn", async () => {
    const page = await stage.open()
    await startDemo(stage, page)
    await said(page, /I'll reproduce/)
    await page.reload()
    await said(page, "Why is the total of some carts a cent too high?")
    await said(page, "I'll reproduce it first, then look at how the total is made.")
    await finish(page)
  })

  for (const colorScheme of ["light", "dark"] as const) {
    for (const [device, viewport] of [["desktop", desktop], ["phone", phone]] as const) {
      it(`has nothing axe objects to: ${device}, ${colorScheme}`, async () => {
        const page = await stage.open({ viewport, colorScheme, reducedMotion: "reduce" })
        await page.goto(stage.url())
        await page.getByRole("radio", { name: /Demo/ }).waitFor()
        expect(await violations(page)).toEqual([])
        await startDemo(stage, page)
        await page.getByRole("form", { name: "Question" }).waitFor()
        expect(await violations(page)).toEqual([])
        await answerQuestion(page)
        await page.getByRole("button", { name: "Allow once" }).waitFor()
        expect(await violations(page)).toEqual([])
        await allow(page)
        await said(page, /All 20 tests pass/)
        await isIdle(page)
        expect(await violations(page)).toEqual([])
        if (device === "phone") {
          for (const width of [360, 390, 430]) {
            await page.setViewportSize({ ...viewport, width })
            expect(await headOf(page)).toEqual({ name: true, state: true, overlaps: [] })
          }
          await page.setViewportSize(viewport)
          const more = page.getByRole("button", { name: "More actions" })
          await more.click()
          expect(await violations(page)).toEqual([])
          await page.keyboard.press("Escape")
          await page.getByRole("button", { name: "Events" }).waitFor({ state: "hidden" })
          await more.click()
        }
        await page.getByRole("button", { name: "Events" }).click()
        await page.locator(".event-line").first().waitFor()
        expect(await violations(page)).toEqual([])
      })
    }
  }

  it("says so when there is no such session", async () => {
    const page = await stage.open()
    await page.goto(`${stage.url()}/#/s/nobody-knows-it`)
    await page.getByRole("heading", { name: "Session not found" }).waitFor()
  })

  it("runs a program on a terminal", async () => {
    const page = await stage.open()
    await page.goto(stage.url())
    await page.getByRole("radio", { name: /Terminal/ }).check()
    await page.getByLabel("Command", { exact: true }).fill("sh")
    await page.getByRole("button", { name: "Start session" }).click()
    await page.locator(".xterm-screen").waitFor()
    await page.keyboard.type("echo con''sole && echo size $(stty size)\n")
    await page.locator(".xterm-rows").getByText("console", { exact: true }).waitFor()
    await page.locator(".xterm-rows").getByText(/^size [1-9]\d+ [1-9]\d+/).waitFor()
    await page.reload()
    await page.locator(".xterm-rows").getByText("console", { exact: true }).waitFor()
  })
})

describe.skipIf(missing !== undefined)("the console of a relay with a token", () => {
  const stage = setStage(undefined, ["--token", "the-right-token-long-enough"])

  it("asks for the token, keeps it for the tab, and leaves it in no address", async () => {
    const page = await stage.open()
    await page.goto(`${stage.url()}/#token=wrong`)
    await page.getByRole("button", { name: "Use it" }).click()
    await page.getByRole("heading", { name: "Access token" }).waitFor()
    expect(page.url()).not.toContain("wrong")
    await page.getByLabel("Token").fill("the-right-token-long-enough")
    await page.getByRole("button", { name: "Connect" }).click()
    await startDemo(stage, page)
    await said(page, /I'll reproduce/)
    await page.reload()
    await said(page, /I'll reproduce/)
    expect(page.url()).not.toContain("token")
  })
})
