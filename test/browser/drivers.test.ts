/** One driver, many viewers (`--drivers one`) in the console: who drives, taking over, the driver's dialog, suggestions. */
import { describe, expect, it } from "vitest"
import { whyNoBrowser } from "../support/page.js"
import { openDemo, violations } from "./actions.js"
import { look, setStage } from "./stage.js"

const missing = whyNoBrowser()
if (missing !== undefined) console.log(`skipping one driver in the console: ${missing}`)

describe.skipIf(missing !== undefined)("a session that one client at a time drives", () => {
  const stage = setStage(undefined, ["--drivers", "one", "--take-over-timeout", "20"])

  it("shows who drives, asks the driver, hands over, and sends what was suggested", async () => {
    const ann = await stage.open()
    await openDemo(stage, ann, "driven")
    await ann.getByText("Nobody drives. Whoever sends something does.").waitFor()
    await ann.getByRole("button", { name: "Drive", exact: true }).click()
    await ann.getByText("You drive this session.").waitFor()
    const address = ann.url()

    const bob = await stage.open()
    await bob.goto(address)
    await bob.getByText(/ drives\. You are watching\./).waitFor()
    // What the driver does is not offered.
    for (const name of ["Send", "Stop", "End session", "Allow", "Deny"]) {
      expect(await bob.locator("main").getByRole("button", { name, exact: true }).count()).toBe(0)
    }
    expect(await violations(bob)).toEqual([])
    await bob.getByLabel("Suggest a prompt").fill("Please say \u202ehello")
    await bob.getByRole("button", { name: "Suggest", exact: true }).click()

    const suggested = ann.locator(".suggestion")
    await suggested.getByText("Please say").waitFor()
    // What cannot be seen is named: what is sent is what is shown.
    expect(await suggested.locator(".hidden-char").count()).toBe(1)
    expect(await bob.locator(".suggestion").getByRole("button").count()).toBe(0)
    await look(ann, "driver-suggestion")
    expect(await violations(ann)).toEqual([])
    await suggested.getByRole("button", { name: "Send" }).click()
    await suggested.waitFor({ state: "detached" })
    await bob.getByText("Please say").first().waitFor()

    await bob.getByRole("button", { name: "Take over" }).click()
    const asked = ann.getByRole("alertdialog")
    await asked.getByText("asks to take over; without an answer that happens in").waitFor()
    await look(ann, "driver-asked")
    expect(await violations(ann)).toEqual([])
    await asked.getByRole("button", { name: "Hand over" }).click()
    await bob.getByText("You drive this session.").waitFor()
    await ann.getByText(/ drives\. You are watching\./).waitFor()
    await ann.getByLabel("Suggest a prompt").waitFor()
    await bob.getByRole("textbox", { name: "Prompt" }).waitFor()

    // Whoever leaves drives no more.
    await bob.close()
    await ann.getByText("Nobody drives. Whoever sends something does.").waitFor()
    await ann.getByRole("textbox", { name: "Prompt" }).waitFor()
  })
})
