/** The pictures of docs/images: `npm run docs:images`. They are of the demo, so that anybody can take them. */
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import type { Page } from "playwright-core"
import { describe, it } from "vitest"
import { connect } from "../support/client.js"
import { installFakeClaude } from "../support/fakeClaude.js"
import { desktop, phone, whyNoBrowser } from "../support/page.js"
import { allow, answerQuestion, isIdle, said, startDemo } from "./actions.js"
import { setStage } from "./stage.js"

const folder = process.env["AI_RELAY_IMAGES"]

/** How far down the conversation is, in the next frame. */
const placeOf = (page: Page) =>
  page.evaluate<number>(
    "new Promise((r) => requestAnimationFrame(() => r(document.querySelector('.scroller').scrollTop)))"
  )

/** Until it has moved from there, and moves no more. */
const untilScrolled = async (page: Page, before: number) => {
  for (let last = -1, place = before; place === before || place !== last;) {
    last = place
    place = await placeOf(page)
  }
}

describe.skipIf(folder === undefined || whyNoBrowser() !== undefined)("pictures", () => {
  const stage = setStage((home) => Promise.resolve(installFakeClaude(home)))
  const shootInto = (page: Page, name: string) =>
    page.screenshot({ path: join(folder ?? "", `console-${name}.png`), animations: "disabled" })

  it("of what is around a conversation", async () => {
    mkdirSync(folder ?? "", { recursive: true })
    const shop = join(stage.home, "shop")
    mkdirSync(shop)
    const url = stage.url().replace("http", "ws")
    for (
      const [session_id, title] of [["tax", "Tax of orders abroad"], ["mail", "Mails that bounce"]] as const
    ) {
      const past = await connect(url, { tool: "demo", folder: shop, session_id })
      await past.waitFor("session_start")
      past.send({ text: title })
      await past.waitFor("turn_start")
      past.send({ type: "interrupt" })
      await past.waitFor("turn_end")
      past.send({ type: "end" })
      await past.closed
    }
    const client = await connect(url, { tool: "claude", folder: shop, session_id: "greeting", linger: 600 })
    await client.waitFor("session_start")
    await client.turn("Add a greeting. WRITE greeting.txt Hello")
    await client.turn("Make it friendlier. WRITE greeting.txt Welcome!")
    const page = await stage.open({ viewport: desktop, colorScheme: "light" })
    await startDemo(stage, page)
    await page.getByRole("form", { name: "Question" }).waitFor()
    const list = page.getByRole("navigation", { name: "Sessions" })
    await list.getByRole("region", { name: "Needs you" }).waitFor()
    await list.getByRole("link", { name: /Tax of orders/ }).waitFor()
    await shootInto(page, "sessions")
    await page.getByRole("button", { name: "Share" }).click()
    await page.getByRole("button", { name: "Create link" }).waitFor()
    await shootInto(page, "share")
    await page.keyboard.press("Escape")
    await page.getByRole("button", { name: "Settings" }).click()
    await page.getByText("on this machine", { exact: true }).waitFor()
    await page.getByRole("heading", { name: "Devices and links" }).waitFor()
    await shootInto(page, "settings")
    await page.getByRole("button", { name: "Close", exact: true }).click()
    await page.goto(`${stage.url()}/#/s/greeting`)
    await page.getByRole("button", { name: "Go back to before this prompt" }).nth(1).click()
    await page.getByRole("dialog").getByText("greeting.txt", { exact: true }).waitFor()
    await shootInto(page, "rewind")
    await client.close()
    const small = await stage.open({ viewport: phone, deviceScaleFactor: 2, colorScheme: "light" })
    await small.goto(stage.url())
    await small.getByRole("button", { name: "Sessions", exact: true }).click()
    await small.getByRole("button", { name: "Settings" }).click()
    await small.getByText("on this machine", { exact: true }).waitFor()
    await small.getByRole("heading", { name: "Devices and links" }).waitFor()
    await shootInto(small, "settings-phone")
  })

  for (const colorScheme of ["light", "dark"] as const) {
    for (const [device, viewport] of [["desktop", desktop], ["phone", phone]] as const) {
      it(`of the console: ${device}, ${colorScheme}`, async () => {
        mkdirSync(folder ?? "", { recursive: true })
        const page = await stage.open({
          viewport,
          colorScheme,
          deviceScaleFactor: device === "phone" ? 2 : 1
        })
        const shoot = (name: string) =>
          page.screenshot({
            path: join(folder ?? "", `console-${name}-${device}-${colorScheme}.png`),
            animations: "disabled"
          })
        await startDemo(stage, page)
        await answerQuestion(page)
        await page.getByRole("button", { name: "Allow once" }).waitFor()
        await page.locator(".ask .hljs-keyword").first().waitFor()
        await shoot("permission")
        await allow(page)
        await said(page, /All 20 tests pass/)
        await isIdle(page)
        await page.getByText("$0.04", { exact: true }).waitFor()
        // As a person does, so that the page stays there.
        const top = (await page.locator(".diff").boundingBox())?.y ?? 0
        const by = Math.min(0, top - (device === "phone" ? 300 : 110))
        const before = await placeOf(page)
        await page.locator(".scroller").hover()
        await page.mouse.wheel(0, by)
        if (by < 0 && before > 0) await untilScrolled(page, before)
        await page.locator(".diff .hljs-keyword").first().waitFor()
        await shoot("diff")
      })
    }
  }
})
