/** page: Chromium, as the browser suite drives it, and why it cannot when it cannot. */
import { accessSync, constants } from "node:fs"
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Page
} from "playwright-core"

const program = process.env.AI_RELAY_CHROMIUM ?? "/usr/bin/chromium"

export const whyNoBrowser = (): string | undefined => {
  try {
    accessSync(program, constants.X_OK)
    return undefined
  } catch {
    return process.env.AI_RELAY_SKIP_BROWSER ?? `${program} is not there: apt-get install chromium`
  }
}

export const launch = (): Promise<Browser> =>
  chromium.launch({ executablePath: program, args: ["--no-sandbox", "--disable-dev-shm-usage"] })

export const desktop = { width: 1280, height: 820 }
export const phone = { width: 390, height: 844 }

export interface Tab {
  readonly page: Page
  /** What went wrong in the page; empty if all is well. */
  readonly faults: ReadonlyArray<string>
  /** Requests that left the machine. */
  readonly strangers: ReadonlyArray<string>
}

/** A page that notes its faults: what it throws, what its policy forbids, what it asks of others than the relay. */
export const openTab = async (context: BrowserContext): Promise<Tab> => {
  const page = await context.newPage()
  const faults: Array<string> = []
  const strangers: Array<string> = []
  page.on("pageerror", (error) => faults.push(error.message))
  page.on("console", (message) => {
    // The relay is killed on purpose, and a token is asked for.
    const expected = /WebSocket connection|ERR_CONNECTION_REFUSED|401 \(Unauthorized\)/
    if (message.type() === "error" && !expected.test(message.text())) {
      faults.push(`${message.text()} ${message.location().url}`)
    }
  })
  page.on("request", (request) => {
    const { hostname, protocol } = new URL(request.url())
    if (/^(http|ws)s?:$/.test(protocol) && hostname !== "127.0.0.1") strangers.push(request.url())
  })
  return { page, faults, strangers }
}

export const contextOf = (browser: Browser, options: BrowserContextOptions = {}) =>
  browser.newContext({ viewport: desktop, acceptDownloads: true, ...options })
