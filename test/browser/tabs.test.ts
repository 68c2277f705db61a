/** One session in several tabs: what is written, answered, deleted or opened again in one of them holds in all. */
import { rmSync } from "node:fs"
import { join } from "node:path"
import type { Page } from "playwright-core"
import { describe, expect, it } from "vitest"
import { connect } from "../support/client.js"
import { installFakeClaude } from "../support/fakeClaude.js"
import { whyNoBrowser } from "../support/page.js"
import { areThere, begin, isIdle, prompt, said, violations } from "./actions.js"
import { patience, setStage, type Stage } from "./stage.js"

const missing = whyNoBrowser()
if (missing !== undefined) console.log(`skipping several tabs: ${missing}`)

/** A session of Claude, up to this event. */
const prompted = (stage: Stage, session_id: string, text: string, until: "turn_end" | "permission_request") =>
  begin(stage, "claude", session_id, async (client) => {
    client.send({ text })
    await client.waitFor(until, { within: patience })
  })

describe.skipIf(missing !== undefined)("a session in two tabs", () => {
  const stage = setStage((home) => Promise.resolve(installFakeClaude(home)))

  const begun = (session_id: string, text: string) => prompted(stage, session_id, text, "turn_end")
  const box = (page: Page) => page.getByLabel("Prompt", { exact: true })
  const show = async (page: Page, session_id: string) => {
    await page.goto(`${stage.url()}/#/s/${session_id}`)
    await isIdle(page)
  }
  const two = async (session_id: string) => {
    const one = await stage.open()
    await show(one, session_id)
    const other = await stage.another(one)
    await show(other, session_id)
    return [one, other] as const
  }
  const row = (page: Page, name: string) => page.locator(".session-item", { hasText: name })
  const choose = async (page: Page, name: string, what: string) => {
    await row(page, name).hover()
    await row(page, name).getByRole("button", { name: `More for ${name}` }).click()
    await page.getByRole("button", { name: what, exact: true }).click()
  }
  const listed = async () =>
    (await (await fetch(`${stage.url()}/sessions`)).json() as { sessions: Array<{ session_id: string }> })
      .sessions.map(({ session_id }) => session_id)

  it("has one draft, and what one tab sent is not there to be sent again", async () => {
    await begun("drafts", "hello")
    const [one, other] = await two("drafts")
    await box(one).fill("half a sentence")
    await expect.poll(() => box(other).inputValue(), { timeout: patience }).toBe("half a sentence")
    await box(other).press("End")
    await box(other).pressSequentially(", and the rest")
    await expect.poll(() => box(one).inputValue(), { timeout: patience }).toBe(
      "half a sentence, and the rest"
    )
    await one.keyboard.press("Enter")
    await areThere(other.getByText("half a sentence, and the rest"), 1)
    expect(await box(other).inputValue()).toBe("")
  })

  it("is not begun anew by a tab that shows it when it was deleted in another", async () => {
    await begun("deleted", "hello deleted")
    const [one, other] = await two("deleted")
    await choose(one, "hello deleted", "Delete")
    await other.getByText("The relay no longer has this session.").waitFor()
    expect(await other.getByRole("button", { name: "Resume" }).count()).toBe(0)
    await said(other, "hello deleted")
    await other.reload()
    await other.getByRole("heading", { name: "Session not found" }).waitFor()
    expect(await listed()).not.toContain("deleted")
  })

  it("begun here is not begun anew either after a reload", async () => {
    const one = await stage.open()
    await one.goto(stage.url())
    await one.getByRole("radio", { name: /Claude Code/ }).check()
    await one.getByRole("button", { name: "Start session" }).click()
    await one.getByText("Ready when you are").waitFor()
    await prompt(one, "hello begun here")
    await isIdle(one)
    const session_id = one.url().split("/s/")[1] ?? ""
    await fetch(`${stage.url()}/sessions/${session_id}`, { method: "DELETE" })
    await one.getByText("The relay no longer has this session.").waitFor()
    await one.reload()
    await one.getByRole("heading", { name: "Session not found" }).waitFor()
    expect(await listed()).not.toContain(session_id)
  })

  it("stays deleted when the tab is closed before the time to undo it is over", async () => {
    await begun("left", "hello left")
    const [one] = await two("left")
    await choose(one, "hello left", "Delete")
    await one.getByText("Deleted “hello left”").waitFor()
    await one.close()
    await expect.poll(listed, { timeout: patience }).not.toContain("left")
  })

  it("that ended is live again in both when it is opened again in one", async () => {
    await begun("again", "hello again")
    const [one, other] = await two("again")
    await one.getByRole("button", { name: "End session" }).click()
    await one.locator("dialog[open]").getByRole("button", { name: "End session" }).click()
    await one.getByText("The session has ended.").waitFor()
    const reader = await stage.another(one)
    await reader.goto(`${stage.url()}/#/s/again`)
    await reader.getByText("You are reading a past session.").waitFor()
    await other.getByRole("button", { name: "Resume" }).click()
    for (const page of [other, one, reader]) await isIdle(page)
  })

  it("calls once, and not at all while the question is looked at in one of them", async () => {
    await begun("calls", "hello calls")
    await begun("busy", "hello busy")
    const looking = await stage.open({ permissions: ["notifications"] })
    await looking.context().addInitScript(`
      localStorage.setItem("ai-relay.sound", "true")
      localStorage.setItem("ai-relay.notify", "true")
      PushManager.prototype.subscribe = () => Promise.reject(new Error("there is no push service"))
      window.sounds = 0
      window.AudioContext = class { constructor() { window.sounds += 1; throw new Error("silent") } }`)
    const behind = `
      Object.defineProperty(document, "visibilityState", { get: () => "hidden" })
      document.hasFocus = () => false`
    await show(looking, "calls")
    const others = [await stage.another(looking), await stage.another(looking)]
    for (const page of others) {
      await page.addInitScript(behind)
      await page.goto(stage.url())
      await row(page, "hello calls").waitFor()
    }
    const sounds = async () =>
      (await Promise.all(
        [looking, ...others].map((page) => page.evaluate("window.sounds") as Promise<number>)
      ))
        .reduce((sum, each) => sum + each, 0)
    const notices = () =>
      looking.evaluate(
        "navigator.serviceWorker.ready.then((found) => found.getNotifications()).then((all) => all.length)"
      )
    const asks = async (session_id: string) => {
      const client = await connect(stage.url().replace("http:", "ws:"), { session_id })
      await client.waitFor("session_start")
      client.send({ text: "ASK" })
      await client.waitFor("permission_request", { within: patience })
      await client.close()
      for (const page of others) await row(page, `hello ${session_id}`).getByText("waiting for you").waitFor()
      // Longer than a tab behind leaves it to another.
      await looking.waitForTimeout(600)
    }
    await asks("calls")
    expect([await sounds(), await notices()]).toEqual([0, 0])
    await looking.goto(`${stage.url()}/#/`)
    await row(looking, "hello busy").waitFor()
    await asks("busy")
    expect([await sounds(), await notices()]).toEqual([1, 0])
  })

  it("says so when the relay has lost it, and begins nothing in its place", async () => {
    await begun("lost", "hello lost")
    const one = await stage.open()
    await show(one, "lost")
    await stage.crash(() => Promise.resolve(rmSync(join(stage.home, "state"), { recursive: true })))
    await one.getByText("The relay no longer has this session.").waitFor()
    await said(one, "hello lost")
    expect(await listed()).toEqual([])
  })
})

describe.skipIf(missing !== undefined)("by keyboard", () => {
  const stage = setStage((home) => Promise.resolve(installFakeClaude(home)))

  const asking = (session_id: string) =>
    prompted(stage, session_id, `ASK ${session_id}`, "permission_request")
  const focused = (page: Page) =>
    page.evaluate(
      "(({ innerText, ariaLabel }) => ariaLabel ?? innerText.trim())(document.activeElement)"
    )

  it("a reason is written with an input method: Enter takes a word, and then sends it", async () => {
    await asking("ime")
    const page = await stage.open()
    await page.goto(`${stage.url()}/#/s/ime`)
    await page.getByRole("button", { name: "Deny", exact: true }).click()
    const reason = page.getByLabel("Reason", { exact: true })
    await reason.focus()
    const keyboard = await page.context().newCDPSession(page)
    await keyboard.send("Input.imeSetComposition", { text: "不要", selectionStart: 2, selectionEnd: 2 })
    // What Chromium tells of the key that takes the word.
    await page.evaluate(
      "document.activeElement.dispatchEvent(new KeyboardEvent('keydown', "
        + "{ key: 'Enter', keyCode: 229, isComposing: true, bubbles: true }))"
    )
    await keyboard.send("Input.insertText", { text: "不要" })
    expect(await reason.inputValue()).toBe("不要")
    await page.keyboard.press("Enter")
    await said(page, "denied: 不要")
  })

  it("the focus is never lost: not by a menu, a new name, a deletion, or the way back to a question", async () => {
    await asking("focus")
    const page = await stage.open()
    await page.goto(`${stage.url()}/#/s/focus`)
    const more = page.getByRole("button", { name: "More for ASK focus" })
    await page.getByRole("button", { name: "Deny", exact: true }).press("Enter")
    await page.getByRole("button", { name: "Back", exact: true }).press("Enter")
    expect(await focused(page)).toBe("Deny")
    await more.press("Enter")
    await page.keyboard.press("Escape")
    await expect.poll(() => focused(page)).toBe("More for ASK focus")
    await more.press("Enter")
    for (let step = 0; step < 3; step++) await page.keyboard.press("Tab")
    await areThere(page.locator(".row-menu"), 0)
    await more.press("Enter")
    await page.keyboard.press("Enter")
    await page.getByLabel("Title", { exact: true }).fill("A new name")
    await page.keyboard.press("Enter")
    await expect.poll(() => focused(page)).toBe("More for A new name")
    await page.keyboard.press("Enter")
    await page.getByRole("button", { name: "Delete", exact: true }).press("Enter")
    await expect.poll(() => focused(page)).toBe("Undo")
    await page.keyboard.press("Enter")
    await expect.poll(() => page.evaluate("document.activeElement !== document.body")).toBe(true)
  })

  it("the list on a small screen takes the focus and gives it back, and a dialog over it closes alone", async () => {
    await asking("small")
    // A desktop at 400 %.
    const page = await stage.open({ viewport: { width: 320, height: 256 } })
    await page.goto(`${stage.url()}/#/s/small`)
    await page.getByRole("button", { name: "Allow once" }).waitFor()
    const menu = page.getByRole("button", { name: "Sessions", exact: true })
    await menu.press("Enter")
    await expect.poll(() => focused(page)).toBe("Close the list")
    await page.getByRole("button", { name: "Settings" }).press("Enter")
    await page.getByRole("heading", { name: "Settings" }).waitFor()
    await page.keyboard.press("Escape")
    await areThere(page.locator("dialog[open]"), 0)
    await areThere(page.locator(".sidebar[data-open=true]"), 1)
    await expect.poll(() => focused(page)).toBe("Settings")
    // All of the list can be reached.
    await page.getByRole("link", { name: /ASK small/ }).scrollIntoViewIfNeeded()
    await page.getByRole("link", { name: /ASK small/ }).click({ trial: true })
    await page.keyboard.press("Escape")
    await expect.poll(() => focused(page)).toBe("Sessions")
    // The page itself does not scroll: what is used is in sight.
    expect(await page.evaluate("document.documentElement.scrollHeight <= innerHeight")).toBe(true)
    expect(await violations(page)).toEqual([])
  })

  it("an address that is no address leads to no session, not to a broken page", async () => {
    const page = await stage.open()
    await page.goto(`${stage.url()}/#/s/100%`)
    await page.getByRole("heading", { name: "Session not found" }).waitFor()
  })
})

describe.skipIf(missing !== undefined)("a browser whose access ends", () => {
  const token = "the-right-token-long-enough"
  const stage = setStage((home) => Promise.resolve(installFakeClaude(home)), [
    "--auth",
    "always",
    "--token",
    token
  ])

  const ask = (method: string, path: string, body?: object) =>
    fetch(stage.url() + path, {
      method,
      headers: { "authorization": `Bearer ${token}`, "content-type": "application/json" },
      ...(body !== undefined && { body: JSON.stringify(body) })
    })

  it("shows no list any more and says why, and a new token is entered once for all tabs", async () => {
    const client = await connect(stage.url().replace("http:", "ws:"), {
      tool: "claude",
      folder: stage.home,
      session_id: "secret",
      linger: 600,
      token
    })
    await client.waitFor("session_start")
    client.send({ text: "a secret title" })
    await client.waitFor("turn_end", { within: patience })
    await client.close()
    const { fragment, name } =
      await (await ask("POST", "/devices", { scopes: ["view", "prompt"], expires_in: 3600 }))
        .json() as { fragment: string; name: string }
    const one = await stage.open()
    await one.goto(`${stage.url()}/${fragment}`)
    await one.getByRole("button", { name: "Use it" }).click()
    await one.getByRole("link", { name: /a secret title/ }).click()
    await isIdle(one)
    await one.getByLabel("Prompt", { exact: true }).fill("what I was about to say")
    const other = await stage.another(one)
    await other.goto(stage.url())
    await other.getByRole("link", { name: /a secret title/ }).waitFor()

    await ask("DELETE", `/tokens/${name}`)
    for (const page of [one, other]) {
      await page.getByText("This page's access has ended").waitFor()
      await areThere(page.getByRole("link", { name: /a secret title/ }), 0)
    }
    await other.getByLabel("Token", { exact: true }).fill(token)
    await other.keyboard.press("Enter")
    await other.getByRole("link", { name: /a secret title/ }).waitFor()
    await isIdle(one)
    expect(await one.getByLabel("Prompt", { exact: true }).inputValue()).toBe("what I was about to say")
  })
})
