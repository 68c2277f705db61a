/** The pictures of docs/images: `npm run docs:images`. They are of the demo, so that anybody can take them. */
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import type { Page } from "playwright-core"
import { describe, it } from "vitest"
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
  const stage = setStage()
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
        await shoot("diff")
      })
    }
  }
})
