/**
 * stage: a relay with its console, and a browser before it; its home is a folder of its own, or `AI_RELAY_STAGE_HOME`.
 * `AI_RELAY_BROWSER_SLOW` is a factor for the times the tests
 * wait at most, for machines that are busy with other things.
 */
import { mkdtempSync, realpathSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Browser, BrowserContextOptions, Page } from "playwright-core"
import { afterAll, afterEach, beforeAll, expect } from "vitest"
import { type Daemon, startDaemon } from "../support/daemon.js"
import { contextOf, launch, openTab, type Tab } from "../support/page.js"

/** How long anything may take to be seen, in ms. */
export const patience = 45_000 * Number(process.env["AI_RELAY_BROWSER_SLOW"] ?? 1)

export interface Stage {
  readonly home: string
  /** `http://127.0.0.1:PORT` */
  readonly url: () => string
  /** A tab of a browser of its own; it must have no faults when the test ends. */
  readonly open: (options?: BrowserContextOptions) => Promise<Page>
  /** Another tab of the same browser. */
  readonly another: (page: Page) => Promise<Page>
  /** Ask the relay to end, and start it again at the same place. */
  readonly restart: (meanwhile?: () => Promise<unknown>) => Promise<void>
  /** Kill the relay without a word, and start it again at the same place. */
  readonly crash: (meanwhile?: () => Promise<unknown>) => Promise<void>
}

const bare = { PATH: process.env["PATH"] ?? "", HOME: tmpdir(), LANG: "C.UTF-8", TERM: "dumb" }

/** What was to be seen when a test failed. */
const shoot = async (page: Page, name: string) => {
  const path = join(tmpdir(), `ai-relay-browser-${name.replaceAll(/\W+/g, "-")}.png`)
  await page.screenshot({ path }).then(() => console.log(`the page as it was: ${path}`), () => {})
}

/** For people to look at: only where a folder for pictures is named. */
export const look = async (page: Page, name: string) => {
  const folder = process.env["AI_RELAY_LOOK"]
  if (folder !== undefined) await page.screenshot({ path: join(folder, `${name}.png`) })
}

export const setStage = (
  envOf: (home: string) => Promise<Readonly<Record<string, string>>> = () => Promise.resolve(bare),
  flags: ReadonlyArray<string> = []
): Stage => {
  const home = process.env["AI_RELAY_STAGE_HOME"]
    ?? realpathSync(mkdtempSync(join(tmpdir(), "ai-relay-browser-")))
  const tabs: Array<Tab> = []
  let browser: Browser | undefined
  let daemon: Daemon | undefined
  let env: Readonly<Record<string, string>> = bare

  const started = <A>(thing: A | undefined): A => {
    if (thing === undefined) throw new Error("the stage is set before the first test")
    return thing
  }
  const start = (port = "0") =>
    startDaemon({
      // Nobody reads along.
      env: { AI_RELAY_DEMO_SPEED: "8", ...env, HOME: home },
      cwd: home,
      port,
      args: ["--root", home, "--state-dir", join(home, "state"), ...flags]
    })
  const url = () => started(daemon).url.replace("ws:", "http:").replace(/\/$/, "")

  beforeAll(async () => {
    env = await envOf(home)
    daemon = await start()
    browser = await launch()
  }, 120_000)
  afterEach(async ({ task }) => {
    for (const [index, { faults, page, strangers }] of tabs.splice(0).entries()) {
      if (task.result?.state === "fail") await shoot(page, `${task.name} ${index + 1}`)
      await page.context().close()
      expect(faults).toEqual([])
      expect(strangers).toEqual([])
    }
  })
  afterAll(async () => {
    await browser?.close()
    await daemon?.stop()
    rmSync(home, { recursive: true, force: true })
  })

  const again = async (end: (daemon: Daemon) => Promise<unknown>, meanwhile?: () => Promise<unknown>) => {
    const { port } = new URL(url())
    await end(started(daemon))
    await meanwhile?.()
    daemon = await start(port)
  }

  const keep = (tab: Tab) => {
    tabs.push(tab)
    tab.page.setDefaultTimeout(patience)
    return tab.page
  }
  return {
    home,
    url,
    open: async (options) => keep(await openTab(await contextOf(started(browser), options))),
    another: async (page) => keep(await openTab(page.context())),
    restart: (meanwhile) => again(({ stop }) => stop(), meanwhile),
    crash: (meanwhile) => again(({ kill }) => kill(), meanwhile)
  }
}
