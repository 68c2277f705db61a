/**
 * The console on a phone that is locked: a question arrives as a push, is answered there, and the turn goes on. Chromium has no push
 * service without a network, so its subscription is one of the test's own service, which opens what the relay sent; what it opened is
 * handed to the service worker as Chromium would.
 */
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import type { BrowserContext, CDPSession, Page, Worker } from "playwright-core"
import { renderSVG } from "uqr"
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest"
import { agentEnv, whyNotInstalled } from "../support/agents.js"
import { type ModelApi, startModelApi } from "../support/modelApi/ModelApi.js"
import { reply } from "../support/modelApi/script.js"
import { phone, whyNoBrowser } from "../support/page.js"
import { type Browser, type PushService, startPushService } from "../support/pushService.js"
import { areThere, openDemo, prompt, said, violations } from "./actions.js"
import { look, patience, setStage } from "./stage.js"

const missing = whyNoBrowser()
if (missing !== undefined) console.log(`skipping notifications: ${missing}`)
const noClaude = whyNotInstalled("claude")

/** The browser's own way to subscribe leads to the test's service. */
const subscribeTo = async (page: Page, service: PushService): Promise<() => Browser> => {
  let browser: Browser | undefined
  await page.exposeFunction("testSubscribe", (key: string) => {
    browser ??= service.browser(key)
    return browser.subscription
  })
  await page.addInitScript(`
    let there = null
    PushManager.prototype.getSubscription = async () => there
    PushManager.prototype.subscribe = async ({ applicationServerKey }) => {
      const key = btoa(String.fromCharCode(...applicationServerKey)).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "")
      const made = await testSubscribe(key)
      return there = {
        ...made,
        options: { applicationServerKey: applicationServerKey.buffer },
        toJSON: () => made,
        unsubscribe: async () => { there = null; return true }
      }
    }`)
  return () => {
    if (browser === undefined) throw new Error("nobody has subscribed yet")
    return browser
  }
}

const workerOf = async (context: BrowserContext): Promise<Worker> =>
  context.serviceWorkers()[0] ?? await context.waitForEvent("serviceworker", { timeout: patience })

/** Hands a push to the service worker, as the browser does. */
const pusher = async (page: Page, origin: string) => {
  const session: CDPSession = await page.context().newCDPSession(page)
  const registered = new Promise<string>((resolve) =>
    session.on("ServiceWorker.workerRegistrationUpdated", ({ registrations }) => {
      const own = registrations.find(({ scopeURL }) => scopeURL === `${origin}/`)
      if (own !== undefined) resolve(own.registrationId)
    })
  )
  await session.send("ServiceWorker.enable")
  const registrationId = await registered
  return (message: unknown) =>
    session.send("ServiceWorker.deliverPushMessage", {
      origin,
      registrationId,
      data: JSON.stringify(message)
    })
}

interface Shown {
  readonly title: string
  readonly body: string
  readonly actions: ReadonlyArray<string>
}
const shownBy = (worker: Worker) =>
  worker.evaluate(
    "registration.getNotifications().then((all) => all.map(({ title, body, actions }) => "
      + "({ title, body, actions: actions.map(({ action }) => action) })))"
  ) as Promise<ReadonlyArray<Shown>>

/**
 * Hands a push over and waits until its notification is shown. Chromium drops a notification from its books when it is
 * asked for the list of them after it was written down and before it is on the screen, so the list is not asked meanwhile.
 */
const showing = async (worker: Worker, push: () => Promise<unknown>) => {
  await worker.evaluate(`void (globalThis.shown = new Promise((resolve) => {
    const show = registration.showNotification
    registration.showNotification = async (...notice) => {
      delete registration.showNotification
      await show.apply(registration, notice)
      resolve()
    }
  }))`)
  await push()
  await worker.evaluate("shown")
  return shownBy(worker)
}

/** A tap on a button of what is shown, or on the notification itself. No script may make a browser believe in a tap; its handler is the same. */
const tap = (worker: Worker, action: string) =>
  worker.evaluate(`(async () => {
    const [notification] = await registration.getNotifications()
    const event = new NotificationEvent("notificationclick", { notification, action: "${action}" })
    let done
    event.waitUntil = (promise) => void (done = promise)
    dispatchEvent(event)
    await done
  })()`)

describe.skipIf(missing !== undefined)("a phone", () => {
  let api: ModelApi | undefined
  let service: PushService
  const flags: Array<string> = []
  beforeAll(async () => {
    service = await startPushService()
    flags.push("--allow-push-service", service.origin)
  })
  const stage = setStage(async (home) => {
    api = await startModelApi()
    return agentEnv("claude", { home, api })
  }, flags)
  afterEach(() => api?.reset())
  afterAll(async () => {
    expect(service.faults).toEqual([])
    await service.end()
    await api?.close()
  })

  const openPhone = () =>
    stage.open({ viewport: phone, isMobile: true, hasTouch: true, permissions: ["notifications"] })
  const openSettings = async (page: Page) => {
    await page.getByRole("button", { name: "Sessions", exact: true }).click()
    await page.getByRole("button", { name: "Settings" }).click()
  }

  it.skipIf(noClaude !== undefined)(
    "is locked in mid-turn, gets the question, answers it from there, and the turn is done",
    async () => {
      let ask = () => {}
      const hold = new Promise<void>((resolve) => (ask = resolve))
      const command = "touch from-the-phone.txt && echo from-the-phone"
      api?.on(/RUN/, [
        reply({ text: ["I will run ", "it."], hold, tool: { kind: "shell", command } }),
        reply({ text: "It ran." })
      ])
      const page = await openPhone()
      const browser = await subscribeTo(page, service)
      await page.goto(stage.url())
      await openSettings(page)
      await page.getByRole("button", { name: "Notify me on this device" }).click()
      await page.getByText("This device tells you when a session waits for you, even when").waitFor()
      expect(await violations(page)).toEqual([])
      await look(page, "settings-phone")
      await page.getByRole("button", { name: "Close", exact: true }).click()
      await page.getByRole("button", { name: "Close the list" }).click()

      await page.getByRole("radio", { name: /Claude Code/ }).check()
      await page.getByLabel("Folder", { exact: true }).fill(stage.home)
      await page.getByRole("button", { name: "Start session" }).click()
      await page.getByText("Ready when you are").waitFor()
      await prompt(page, "RUN it")
      await said(page, /I will run/)
      const address = page.url()
      const worker = await workerOf(page.context())
      const blank = await page.context().newPage()

      // Locked: no socket any more. The relay does not care for how long.
      await page.close()
      const listed = async () =>
        (await (await fetch(`${stage.url()}/sessions`)).json() as { sessions: Array<{ clients: number }> })
          .sessions
      await expect.poll(async () => (await listed())[0]?.clients, { timeout: patience }).toBe(0)
      ask()
      const { message } = await browser().next()
      expect(message).toMatchObject({
        kind: "question",
        tool: "claude",
        text: command,
        answers: ["allow", "deny"]
      })

      const push = await pusher(blank, stage.url())
      expect(await showing(worker, () => push(message))).toEqual([
        { title: "Claude Code is waiting for you", body: command, actions: ["allow", "deny"] }
      ])
      await tap(worker, "allow")
      await expect.poll(() => existsSync(join(stage.home, "from-the-phone.txt")), { timeout: patience }).toBe(
        true
      )
      expect(await shownBy(worker)).toEqual([])

      // The same notification, tapped on another device: it says that it is over.
      expect(await showing(worker, () => push(message))).toHaveLength(1)
      await tap(worker, "deny")
      expect((await shownBy(worker)).map(({ body }) => body)).toEqual(["This was answered already."])

      await blank.goto(address)
      await said(blank, "It ran.")
      await blank.close()
    }
  )

  it("keeps the console's own files and no data, and opens without the relay", async () => {
    const page = await openPhone()
    await page.goto(stage.url())
    await page.getByRole("radio", { name: /Demo/ }).waitFor()
    await workerOf(page.context())
    await page.evaluate("navigator.serviceWorker.ready")
    // From here on it is between the page and the relay.
    await page.reload()
    await page.getByRole("radio", { name: /Demo/ }).waitFor()
    await page.evaluate(
      "Promise.all(['/agents', '/sessions', '/whoami', '/push'].map((path) => fetch(path)))"
    )
    const kept = await page.evaluate(
      "caches.keys().then((names) => Promise.all(names.map((name) => caches.open(name).then((cache) => cache.keys()))))"
        + ".then((all) => all.flat().map(({ url }) => new URL(url).pathname))"
    ) as ReadonlyArray<string>
    expect(kept).toContain("/index.html")
    expect(kept.filter((path) => path !== "/index.html" && !path.startsWith("/assets/"))).toEqual([])
    await stage.restart(async () => {
      await page.reload()
      await page.getByText("Can’t reach the relay").waitFor()
    })
    await page.getByRole("radio", { name: /Demo/ }).waitFor()
    expect(readFileSync(new URL("../../dist/console/sw.js", import.meta.url), "utf8")).not.toContain(
      "__SHELL__"
    )
  })

  it("opens a session in the tab that shows it, with the question in sight and nothing over it", async () => {
    const one = await openPhone()
    await openDemo(stage, one, "one")
    const two = await stage.another(one)
    await openDemo(stage, two, "two")
    const start = await stage.another(one)
    await start.goto(stage.url())
    await openSettings(start)
    const worker = await workerOf(one.context())
    await start.reload()
    await openSettings(start)
    const show = (session_id: string) =>
      worker.evaluate(
        `registration.showNotification("x", { tag: "${session_id}", data: { kind: "done", session_id: "${session_id}", waiting: 0 } })`
      )
    // Only a person's own tap may raise a window; what is said to the page comes before that.
    const tapOn = async (session_id: string) => {
      await showing(worker, () => show(session_id))
      await tap(worker, "").catch((error: unknown) => expect(String(error)).toMatch(/focus a window/))
    }
    await two.bringToFront()
    await two.getByRole("button", { name: "More actions" }).click()
    await two.getByRole("button", { name: "Events" }).click()
    await two.locator("dialog[open]").waitFor()
    await tapOn("two")
    await areThere(two.locator("dialog[open]"), 0)
    expect(one.url()).toMatch(/one$/)
    await areThere(start.locator("dialog[open]"), 1)

    // Nobody shows it: some tab does then, and its settings do not cover it.
    await one.close()
    await two.close()
    await tapOn("one")
    await start.getByText("Ready when you are").waitFor()
    await areThere(start.locator("dialog[open]"), 0)
    await areThere(start.locator(".sidebar[data-open=true]"), 0)
  })

  it.each(["is open", "is opened"])(
    "that %s while the relay is replaced by a newer one gets the newer page",
    async (how) => {
      const page = await openPhone()
      await page.goto(stage.url())
      await page.getByRole("radio", { name: /Demo/ }).waitFor()
      await page.evaluate("navigator.serviceWorker.ready")
      await page.evaluate("window.old = true")
      await stage.restart(async () => {
        // The newer relay's page is made of other files.
        await page.context().route(
          "**/index.html",
          (route) =>
            route.fulfill({
              contentType: "text/html",
              body: "<script type=module src=/assets/newer.js></script>"
            })
        )
        if (how === "is open") return
        await page.reload()
        await page.getByText("Can’t reach the relay").waitFor()
        await page.evaluate("window.old = true")
      })
      await expect.poll(() => page.evaluate("window.old"), { timeout: patience }).toBeUndefined()
      await page.getByRole("radio", { name: /Demo/ }).waitFor()
    }
  )

  it("does not lose what a dialog holds to the page of a newer relay while it is looked away from", async () => {
    const page = await openPhone()
    await page.addInitScript(
      "window.away = false; Object.defineProperty(document, 'hidden', { get: () => window.away })"
    )
    await page.goto(stage.url())
    await openSettings(page)
    await page.evaluate("window.away = window.old = true")
    const asked = page.waitForResponse("**/index.html")
    await stage.restart(() =>
      page.context().route("**/index.html", (route) =>
        route.fulfill({
          contentType: "text/html",
          body: "<script type=module src=/assets/newer.js></script>"
        }))
    )
    await asked
    await page.evaluate("new Promise((resolve) => setTimeout(resolve, 500))")
    expect(await page.evaluate("window.old")).toBe(true)
    await page.keyboard.press("Escape")
    await expect.poll(() => page.evaluate("window.old"), { timeout: patience }).toBeUndefined()
  })

  it("is shown a code with an address and a token of its own, which can be revoked; or why it cannot reach the relay", async () => {
    const page = await stage.open()
    await page.goto(stage.url())
    await page.getByRole("button", { name: "Settings" }).click()
    await page.getByRole("button", { name: "Show code" }).click()
    await page.getByText("This relay listens on this machine only").waitFor()
    await page.getByText("No device has access of its own.").waitFor()
    await page.getByRole("button", { name: "Close", exact: true }).click()

    let link = ""
    await page.route("**/devices", async (route) => {
      const answer = await route.fetch()
      const made = await answer.json() as { fragment: string }
      link = `http://192.168.1.5:8765/${made.fragment}`
      await route.fulfill({ response: answer, json: { ...made, addresses: ["http://192.168.1.5:8765"] } })
    })
    await page.getByRole("button", { name: "Settings" }).click()
    await page.getByRole("button", { name: "Show code" }).click()
    const code = page.getByRole("img", { name: /QR code/ })
    await code.waitFor()
    expect(decodeURIComponent(await code.getAttribute("src") ?? "")).toContain(
      renderSVG(link, { border: 2, ecc: "M" })
    )
    await page.getByText("The address is not encrypted").waitFor()
    expect(await violations(page)).toEqual([])
    await look(page, "settings-code")

    // What the phone gets opens the console there, and stays signed in.
    const [, fragment = ""] = link.split("/#")
    const other = await openPhone()
    await other.goto(`${stage.url()}/#${fragment}`)
    await other.getByRole("button", { name: "Use it" }).click()
    await other.getByRole("radio", { name: /Demo/ }).waitFor()
    expect(other.url()).not.toContain("airelay_")
    expect(await other.evaluate("localStorage.getItem('ai-relay.token')")).toContain("airelay_")
    const name = /device-\w+/.exec(await page.locator(".devices").innerText())?.[0] ?? ""
    await page.getByRole("button", { name: `Revoke ${name}` }).click()
    await page.getByText("No device has access of its own.").waitFor()
    await other.reload()
    await other.getByLabel("Token", { exact: true }).waitFor()
  })
})
