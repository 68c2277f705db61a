/** Sessions as things: found by their title, named, put away, deleted and brought back, read when they are over. */
import { mkdirSync, rmSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { connect } from "../support/client.js"
import { phone, whyNoBrowser } from "../support/page.js"
import { areThere, openDemo, said, startDemo, violations } from "./actions.js"
import { look, setStage } from "./stage.js"

const missing = whyNoBrowser()
if (missing !== undefined) console.log(`skipping sessions in the console: ${missing}`)

describe.skipIf(missing !== undefined)("sessions in the console", () => {
  const stage = setStage()

  /** A demo session that is over, in a folder. */
  const past = async (session_id: string, folder: string, prompt: string) => {
    mkdirSync(folder, { recursive: true })
    const client = await connect(stage.url().replace("http:", "ws:"), { tool: "demo", folder, session_id })
    await client.waitFor("session_start")
    client.send({ text: prompt })
    await client.waitFor("turn_start")
    client.send({ type: "interrupt" })
    await client.waitFor("turn_end")
    client.send({ type: "end" })
    await client.closed
  }

  it("have a title and a menu, and a deletion can be undone", async () => {
    await past("one", join(stage.home, "shop"), "Mend the total")
    await past("two", join(stage.home, "blog"), "Write a post")
    const page = await stage.open()
    await page.goto(stage.url())
    const list = page.getByRole("navigation", { name: "Sessions" })
    await list.getByRole("link", { name: /Mend the total/ }).waitFor()
    await list.getByRole("button", { name: "More for Mend the total" }).click()
    expect(await violations(page)).toEqual([])
    await list.getByRole("button", { name: "Rename" }).click()
    await page.getByLabel("Title").fill("Invoices")
    await page.keyboard.press("Enter")
    await list.getByRole("link", { name: /Invoices/ }).waitFor()
    await page.reload()
    await list.getByRole("link", { name: /Invoices/ }).waitFor()

    await list.getByRole("button", { name: "More for Invoices" }).click()
    await list.getByRole("button", { name: "Archive", exact: true }).click()
    await list.getByRole("button", { name: "Archived (1)" }).click()
    await list.getByRole("link", { name: /Invoices/ }).waitFor()

    await list.getByRole("button", { name: "More for Write a post" }).click()
    await list.getByRole("button", { name: "Delete" }).click()
    await list.getByRole("link", { name: /Write a post/ }).waitFor({ state: "detached" })
    await list.getByRole("button", { name: "Undo" }).click()
    await list.getByRole("link", { name: /Write a post/ }).waitFor()
    await list.getByRole("button", { name: "More for Write a post" }).click()
    await list.getByRole("button", { name: "Delete" }).click()
    await list.getByRole("button", { name: "Undo" }).waitFor({ state: "detached" })
    await expect.poll(async () => {
      const { sessions } = await (await fetch(`${stage.url()}/sessions`)).json() as {
        readonly sessions: ReadonlyArray<{ readonly session_id: string }>
      }
      return sessions.map(({ session_id }) => session_id)
    }, { timeout: 30_000 }).toEqual(["one"])
  })

  it("are listed as they change elsewhere, what needs a person first", async () => {
    const page = await stage.open()
    await page.goto(stage.url())
    const list = page.getByRole("navigation", { name: "Sessions" })
    const folder = join(stage.home, "elsewhere")
    mkdirSync(folder, { recursive: true })
    const client = await connect(stage.url().replace("http:", "ws:"), {
      tool: "demo",
      folder,
      session_id: "e"
    })
    await client.waitFor("session_start")
    client.send({ text: "Begun elsewhere" })
    const needing = list.getByRole("region", { name: "Needs you" })
    await needing.getByRole("link", { name: /Begun elsewhere/ }).waitFor()
    client.send({ type: "interrupt" })
    await client.waitFor("turn_end")
    await list.getByRole("region", { name: folder }).getByRole("link", { name: /Begun elsewhere/ }).waitFor()
    await needing.waitFor({ state: "detached" })
    await fetch(`${stage.url()}/sessions/e`, { method: "DELETE" })
    await list.getByRole("link", { name: /Begun elsewhere/ }).waitFor({ state: "detached" })
  })

  it("are found by what was said in them", async () => {
    await past("searched", join(stage.home, "shop"), "Mend the rounding of totals")
    const page = await stage.open()
    await page.goto(stage.url())
    const list = page.getByRole("navigation", { name: "Sessions" })
    await list.getByRole("searchbox", { name: "Search sessions" }).fill("ROUNDING totals")
    const found = list.getByRole("region", { name: "Found in conversations" })
    await found.locator("mark").first().waitFor()
    await found.getByText("Mend the rounding of totals").first().waitFor()
    expect(await violations(page)).toEqual([])
    await look(page, "search")
    await found.getByRole("link").first().click()
    await said(page, "Mend the rounding of totals")
    await list.getByRole("searchbox", { name: "Search sessions" }).fill("xyzzyplugh")
    await found.getByText("Nobody said that in any session.").waitFor()
  })

  it("are read without their agent when they are over, also when their folder is gone", async () => {
    const folder = join(stage.home, "gone")
    await past("gone", folder, "What was said")
    rmSync(folder, { recursive: true })
    const page = await stage.open()
    await page.goto(`${stage.url()}/#/s/gone`)
    await said(page, "What was said")
    await page.getByText("You are reading a past session.").waitFor()
    expect(await violations(page)).toEqual([])
    const { sessions } = await (await fetch(`${stage.url()}/sessions`)).json() as {
      readonly sessions: ReadonlyArray<{ readonly session_id: string; readonly state: string }>
    }
    expect(sessions.find(({ session_id }) => session_id === "gone")?.state).toBe("closed")
    await page.getByRole("button", { name: "Resume" }).click()
    await page.getByRole("alert").getByText(/cannot be resumed, but you can still read it/).waitFor()
    await said(page, "What was said")
    mkdirSync(folder)
    await page.getByRole("button", { name: "Try again" }).click()
    await page.getByLabel("Prompt", { exact: true }).waitFor()
    await said(page, "What was said")
  })

  it("say once why a folder is refused, and what was typed stays", async () => {
    const page = await stage.open()
    await page.goto(stage.url())
    await page.getByRole("radio", { name: /Terminal/ }).check()
    await page.getByLabel("Folder", { exact: true }).fill("/nowhere/at/all")
    await page.getByRole("button", { name: "Start session" }).click()
    await page.getByText(/nowhere\/at\/all/).first().waitFor()
    await areThere(page.getByText(/nowhere\/at\/all" is outside the allowed folders/), 1)
    expect(await page.getByLabel("Prompt", { exact: true }).count()).toBe(0)
    await page.goBack()
    expect(await page.getByLabel("Folder", { exact: true }).inputValue()).toBe("/nowhere/at/all")
    expect(await page.getByRole("group", { name: "Recent folders" }).getByText("nowhere").count()).toBe(0)
  })

  it("keep what was written, and what was sent comes again with ↑", async () => {
    const page = await stage.open()
    await openDemo(stage, page, "drafts")
    const box = page.getByLabel("Prompt", { exact: true })
    await box.fill("first prompt")
    await page.keyboard.press("Enter")
    await said(page, "first prompt")
    await box.fill("half written")
    await page.reload()
    await said(page, "first prompt")
    expect(await box.inputValue()).toBe("half written")
    await box.fill("")
    await page.keyboard.press("ArrowUp")
    expect(await box.inputValue()).toBe("first prompt")
    await page.keyboard.press("ArrowDown")
    expect(await box.inputValue()).toBe("")

    const long = "a pasted log ".repeat(20_000)
    await box.fill(long)
    await page.reload()
    await said(page, "first prompt")
    expect(await box.inputValue()).toBe(long)
    await box.fill("")
  })

  it("keep what was attached while another one is looked at, and ask before the page is left", async () => {
    const page = await stage.open()
    const dialogs: Array<string> = []
    page.on("dialog", (dialog) => {
      dialogs.push(dialog.type())
      void dialog.accept()
    })
    await openDemo(stage, page, "attached")
    await page.route("**/attachments?*", async (route) => {
      await new Promise((resolve) => setTimeout(resolve, 1000))
      await route.continue()
    })
    const dot = Buffer.from("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7", "base64")
    await page.locator(".composer input[type=file]").setInputFiles([
      { name: "dot.gif", mimeType: "image/gif", buffer: dot },
      { name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from("notes") }
    ])
    const attached = page.locator(".composer").getByRole("button", { name: /(dot\.gif|notes\.txt)/ })
    await areThere(attached, 2)
    // Still on its way when the session is left.
    await page.getByRole("button", { name: "New session" }).click()
    await page.getByRole("radio", { name: /Demo/ }).waitFor()
    await page.goBack()
    await areThere(attached, 2)
    await page.reload()
    expect(dialogs).toEqual(["beforeunload"])
    await areThere(attached, 0)
  })

  it("send what was written before they were open, also when the page is loaded again meanwhile", async () => {
    const page = await stage.open()
    let isHeld = true
    // A relay that takes its time to open them.
    await page.routeWebSocket(/./, (socket) => {
      const relay = socket.connectToServer()
      socket.onMessage((frame) => {
        if (!isHeld || !String(frame).includes("session_id")) relay.send(frame)
      })
    })
    await page.goto(stage.url())
    await page.getByRole("radio", { name: /Demo/ }).check()
    await page.getByRole("button", { name: "Play the demo" }).click()
    const box = page.getByLabel("Prompt", { exact: true })
    const first = "Why is the total of some carts a cent too high?"
    await said(page, first)
    await box.fill("and this behind it")
    await page.keyboard.press("Enter")
    await said(page, "and this behind it")
    await box.fill("half written")
    await page.reload()
    await said(page, first)
    await said(page, "and this behind it")
    // Once more with a relay that answers: all of it arrives, and once.
    isHeld = false
    await page.reload()
    await page.locator(".bar-state", { hasText: /· (working|waiting for you)$/ }).waitFor()
    await page.getByRole("list", { name: "Queued prompts" }).getByText("and this behind it").waitFor()
    await areThere(page.locator(".row[data-kind=user]"), 1)
    await said(page, first)
    expect(await box.inputValue()).toBe("half written")
    expect(await page.evaluate("localStorage.getItem('ai-relay.unsent')")).toBe(null)
  })

  it("stop with all that waits, which is not lost", async () => {
    const page = await stage.open()
    await startDemo(stage, page)
    await page.getByRole("form", { name: "Question" }).waitFor()
    for (const text of ["then this", "and that"]) {
      await page.getByLabel("Prompt", { exact: true }).fill(text)
      await page.keyboard.press("Enter")
      await page.getByRole("list", { name: "Queued prompts" }).getByText(text).waitFor()
    }
    // A key of an input method, and Escape in another box, are for that box.
    await page.getByRole("button", { name: /^More for/ }).first().click()
    await page.getByRole("button", { name: "Rename" }).click()
    const title = page.getByLabel("Title")
    for (const key of ["Enter", "Escape"]) {
      await title.dispatchEvent("keydown", { key, keyCode: 229, isComposing: true })
    }
    expect(await title.count()).toBe(1)
    await page.keyboard.press("Escape")
    await areThere(title, 0)
    await page.getByLabel("Prompt", { exact: true }).focus()
    await page.getByLabel("Prompt", { exact: true }).dispatchEvent("keydown", {
      key: "Escape",
      isComposing: true
    })
    await page.getByRole("form", { name: "Question" }).waitFor()
    await areThere(page.getByRole("list", { name: "Queued prompts" }).getByRole("listitem"), 2)
    await page.keyboard.press("Escape")
    await page.getByText(/^Stopped/).waitFor()
    await page.locator(".bar-state", { hasText: /· ready$/ }).waitFor()
    expect(await page.getByLabel("Prompt", { exact: true }).inputValue()).toBe("then this\n\nand that")
    expect(await page.locator(".row[data-kind=user]").count()).toBe(1)
  })

  it("come back by themselves when the relay was stopped and started again", async () => {
    const page = await stage.open()
    await openDemo(stage, page, "restarted")
    await page.getByLabel("Prompt", { exact: true }).fill("written before")
    await stage.restart(() => page.getByText(/Connection lost/).waitFor())
    await page.locator(".bar-state", { hasText: /· ready$/ }).waitFor()
    await page.getByLabel("Prompt", { exact: true }).press("Enter")
    await said(page, "written before")
  })

  it("are as old as the relay says, whatever the clock of the page's device", async () => {
    const page = await stage.open()
    await page.addInitScript("{ const { now } = Date; Date.now = () => now() + 600_000 }")
    await openDemo(stage, page, "clock")
    await page.locator(".session-age").first().getByText("now").waitFor()
    await page.locator(".chip").first().click()
    await page.locator(".working", { hasText: /· \d s/ }).waitFor()
  })

  it("speak German and Chinese", async () => {
    const german = await stage.open({ locale: "de-DE" })
    await german.goto(stage.url())
    await german.getByRole("heading", { name: "Woran wollen wir arbeiten?" }).waitFor()
    expect(await german.locator("html").getAttribute("lang")).toBe("de")
    await german.getByRole("radio", { name: /Terminal/ }).check()
    await german.getByLabel("Befehl", { exact: true }).fill("sh")
    await german.getByLabel("Ordner", { exact: true }).fill(join(stage.home, "nowhere"))
    await german.getByRole("button", { name: "Sitzung starten" }).click()
    // What it means in German, and what exactly is wrong as the relay says it.
    await german.getByText(/^Diesen Ordner gibt es auf der Maschine des Relays nicht\. \(.*nowhere.*\)$/)
      .first().waitFor()
    await german.goto(stage.url())
    const chinese = await stage.open({ locale: "zh-CN", viewport: phone })
    await chinese.goto(stage.url())
    await chinese.getByRole("heading", { name: "要做些什么？" }).waitFor()
    expect(await violations(chinese)).toEqual([])
    await german.getByLabel("Sprache").selectOption("en")
    await german.getByRole("heading", { name: "What should we work on?" }).waitFor()
  })

  it("of a terminal are drawn again without a word typed into them", async () => {
    const page = await stage.open()
    await page.goto(stage.url())
    await page.getByRole("radio", { name: /Terminal/ }).check()
    await page.getByLabel("Command", { exact: true }).fill("sh -c \"printf '\\033[c'; exec cat -v\"")
    await page.getByRole("button", { name: "Start session" }).click()
    await page.locator(".xterm-screen").waitFor()
    const session_id = decodeURIComponent(page.url().split("/s/")[1] ?? "")
    const client = await connect(stage.url().replace("http:", "ws:"), { session_id, after_seq: 0 })
    await client.waitFor("session_start")
    // A program asks its terminal who it is, and is told once; the question stands in what it printed for good.
    await page.locator(".xterm-rows").getByText(/\^\[\[\?1;2c/).first().waitFor()
    client.send({ type: "stdin", data: "end of the first life\r" })
    await page.locator(".xterm-rows").getByText("end of the first life").first().waitFor()
    const before = client.events.at(-1)?.seq ?? 0
    await page.reload()
    await page.locator(".xterm-rows").getByText("end of the first life").first().waitFor()
    await page.locator(".xterm").click()
    await page.keyboard.type("typed by hand\n")
    await page.locator(".xterm-rows").getByText("typed by hand").first().waitFor()
    const printed = client.events.filter(({ seq, type }) => seq > before && type === "stdout")
      .map((event) => String(event.text)).join("")
    expect(printed.replaceAll(/\s+/g, " ").trim()).toMatch(/^(typed by hand ?){1,2}$/)
    await client.close()
  })
})
