/** Back to before a prompt, in the console: what would change, whose work would be lost, and that it can be undone. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { connect } from "../support/client.js"
import { installFakeClaude } from "../support/fakeClaude.js"
import { whyNoBrowser } from "../support/page.js"
import { violations } from "./actions.js"
import { look, setStage } from "./stage.js"

const missing = whyNoBrowser()
if (missing !== undefined) console.log(`skipping going back in the console: ${missing}`)

describe.skipIf(missing !== undefined)("going back to before a prompt", () => {
  const stage = setStage((home) => Promise.resolve(installFakeClaude(home)))

  it("shows what changes, sets it back, and undoes it; goes over a person's work only when told", async () => {
    const folder = join(stage.home, "shop")
    mkdirSync(folder)
    const file = join(folder, "a.txt")
    const client = await connect(stage.url().replace("http", "ws"), {
      tool: "claude",
      folder,
      session_id: "back",
      linger: 600
    })
    await client.waitFor("session_start")
    await client.turn("WRITE a.txt one")
    await client.turn("WRITE a.txt two")

    const page = await stage.open()
    await page.goto(`${stage.url()}/#/s/back`)
    const buttons = page.getByRole("button", { name: "Go back to before this prompt" })
    await buttons.nth(1).waitFor()
    await buttons.nth(1).click()
    const dialog = page.getByRole("dialog", { name: "Go back to before this prompt?" })
    await dialog.getByText("a.txt", { exact: true }).waitFor()
    await dialog.getByText("changes back · +1 −1").waitFor()
    await dialog.getByRole("radio", { name: "Files and conversation" }).waitFor()
    await look(page, "rewind-dialog")
    expect(await violations(page)).toEqual([])
    await dialog.getByRole("radio", { name: "Files only" }).check()
    await dialog.getByRole("button", { name: "Go back", exact: true }).click()
    await page.getByText("Went back to before prompt 2. 1 file changed.").waitFor()
    expect(readFileSync(file, "utf8")).toBe("one\n")
    await look(page, "rewind-done")
    expect(await violations(page)).toEqual([])
    await page.getByRole("button", { name: "Undo", exact: true }).click()
    await page.getByText("Undid going back to before prompt 2.").waitFor()
    expect(readFileSync(file, "utf8")).toBe("two\n")
    expect(await page.getByRole("button", { name: "Undo", exact: true }).count()).toBe(0)

    writeFileSync(file, "mine\n")
    await buttons.nth(0).click()
    await dialog.getByText("Someone else changed these files").waitFor()
    await dialog.getByRole("radio", { name: "Files only" }).check()
    const go = dialog.getByRole("button", { name: "Go back", exact: true })
    expect(await go.isDisabled()).toBe(true)
    expect(await violations(page)).toEqual([])
    await dialog.getByRole("checkbox", { name: "Overwrite them" }).check()
    await go.click()
    await page.getByText("Went back to before prompt 1.").waitFor()
    expect(existsSync(file)).toBe(false)
  })
})
