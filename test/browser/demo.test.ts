/** The console with nothing installed: the demo, from the first paint to the transcript. */
import { readFileSync } from "node:fs"
import type { Page } from "playwright-core"
import { describe, expect, it } from "vitest"
import { desktop, phone, whyNoBrowser } from "../support/page.js"
import {
  allow,
  answerQuestion,
  areThere,
  isIdle,
  prompt,
  said,
  standsStill,
  startDemo,
  violations
} from "./actions.js"
import { patience, setStage } from "./stage.js"

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
    await standsStill(page)
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
    // What it would have done is told as a difference, not as the tool's input.
    await page.getByRole("button", { name: /denied: not today/ }).click()
    await page.getByText("Not applied. It would have changed:").waitFor()
    await page.getByRole("region", { name: "Changes of total.ts" }).waitFor()
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
    const focused = () => page.evaluate("document.activeElement.className")
    // The question has the keyboard, not one of its answers; and what is written is still a prompt.
    await expect.poll(focused, { timeout: patience }).toBe("ask")
    await page.keyboard.type("hm")
    const box = page.getByLabel("Prompt", { exact: true })
    expect(await box.inputValue()).toBe("hm")
    await box.fill("")
    await page.keyboard.press("Escape")
    await page.getByText(/^Stopped/).waitFor()
    await isIdle(page)
    await page.keyboard.type("/de")
    await page.getByRole("option", { name: /\/demo/ }).waitFor()
    await page.keyboard.press("Tab")
    expect(await page.getByLabel("Prompt", { exact: true }).inputValue()).toBe("/demo ")
    await page.keyboard.press("Enter")
    await page.getByRole("form", { name: "Question" }).waitFor()
    await expect.poll(focused, { timeout: patience }).toBe("ask")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Space")
    await page.keyboard.press("Enter")
    await page.getByRole("region", { name: "Permission" }).waitFor()
    await expect.poll(focused, { timeout: patience }).toBe("ask")
    expect(await violations(page)).toEqual([])
    // Somebody who writes goes on writing.
    await page.keyboard.press("Alt+d")
    await page.keyboard.type("not today")
    await page.keyboard.press("Enter")
    await said(page, /Then I leave the file as it is/)
    await isIdle(page)
    await expect.poll(() => page.evaluate("document.activeElement.ariaLabel"), { timeout: patience }).toBe(
      "Prompt"
    )
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

    // As many rows as the window has room for, of the font that is there now; the program knows how many.
    await page.setViewportSize({ width: 1000, height: 600 })
    const bottom = async () => {
      const box = await page.locator(".xterm-screen").boundingBox()
      return box === null ? 0 : box.y + box.height
    }
    await expect.poll(bottom, { timeout: patience }).toBeLessThanOrEqual(600)
    expect(await bottom()).toBeGreaterThan(540)
    const rows = await page.locator(".xterm-rows > div").count()
    await page.keyboard.type("echo now $(stty size)\n")
    await page.locator(".xterm-rows").getByText(new RegExp(`^now ${rows} `)).waitFor()
    // Every colour can be read, on light and on dark.
    await page.keyboard.type(
      "for c in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do printf '\\033[38;5;%dmink%d \\033[0m' $c $c; done; echo\n"
    )
    await page.locator(".xterm-rows").getByText(/^ink15/).waitFor()
    for (const [colorScheme, paper] of [["light", [251, 250, 248]], ["dark", [21, 21, 23]]] as const) {
      await page.emulateMedia({ colorScheme })
      await expect.poll(() => inks(page, paper), { timeout: patience }).toEqual({ inks: 16, faint: [] })
    }
    await page.reload()
    await page.locator(".xterm-rows").getByText("console", { exact: true }).waitFor()
  })
})

/** Words that a terminal has coloured: how many, and those that have less contrast to what is behind them than text needs. */
const inks = (page: Page, paper: ReadonlyArray<number>) =>
  page.evaluate(`(() => {
    const light = (rgb) => rgb.map((part) => part / 255)
      .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
      .reduce((sum, part, index) => sum + part * [0.2126, 0.7152, 0.0722][index], 0)
    const spans = [...document.querySelectorAll(".xterm-rows span")].filter((span) => /^ink\\d+ ?$/.test(span.textContent))
    const contrast = (span) => {
      const ink = getComputedStyle(span).color.match(/\\d+/g).slice(0, 3).map(Number)
      const [more, less] = [light(ink), light(${JSON.stringify(paper)})].sort((one, other) => other - one)
      return (more + 0.05) / (less + 0.05)
    }
    return { inks: spans.length, faint: spans.filter((span) => contrast(span) < 4.45).map((span) => span.textContent) }
  })()`)

describe.skipIf(missing !== undefined)("the console of a relay with a token", () => {
  const env = {
    PATH: process.env["PATH"] ?? "",
    HOME: "",
    LANG: "C.UTF-8",
    SNOWFLAKE_PAT: "a-token-of-snowflakes"
  }
  const stage = setStage(() => Promise.resolve(env), ["--token", "the-right-token-long-enough"])

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

  it("asks for the account before it starts Snowflake Cortex", async () => {
    const page = await stage.open()
    await page.goto(`${stage.url()}/#token=the-right-token-long-enough`)
    await page.getByRole("button", { name: "Use it" }).click()
    await page.getByRole("radio", { name: /Cortex/ }).check()
    const account = page.getByLabel("Snowflake account URL")
    await page.getByRole("button", { name: "Start session" }).click()
    expect(await page.locator("input:invalid").count()).toBe(2)
    await page.getByLabel("Model").fill("claude-sonnet-4-5")
    await account.fill("https://acme-prod.snowflakecomputing.com")
    await page.getByLabel(/^Token/).fill("a-token-of-snowflakes")
    expect(await violations(page)).toEqual([])
    await page.getByRole("button", { name: "Start session" }).click()
    await isIdle(page)
    await page.locator(".bar-state", { hasText: /Cortex · ready/ }).waitFor()
  })
})
