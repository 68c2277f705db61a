/** actions: what a person does in the console, and what must be seen then. */
import axe, { type AxeResults } from "axe-core"
import type { Locator, Page } from "playwright-core"
import { expect } from "vitest"
import { connect } from "../support/client.js"
import { patience, type Stage } from "./stage.js"

export const prompt = async (page: Page, text: string) => {
  await page.getByLabel("Prompt", { exact: true }).fill(text)
  await page.keyboard.press("Enter")
}

export const startDemo = async (stage: Stage, page: Page) => {
  await page.goto(stage.url())
  await page.getByRole("radio", { name: /Demo/ }).check()
  await page.getByRole("button", { name: "Play the demo" }).click()
}

/** Begins a session that outlives the client, and lets the client do something in it. */
export const begin = async (
  stage: Stage,
  tool: string,
  session_id: string,
  act: (client: Awaited<ReturnType<typeof connect>>) => Promise<void> = () => Promise.resolve()
) => {
  const client = await connect(stage.url().replace("http:", "ws:"), {
    tool,
    folder: stage.home,
    session_id,
    linger: 600
  })
  await client.waitFor("session_start")
  await act(client)
  await client.close()
}

/** The demo, before anything was said to it. */
export const openDemo = async (stage: Stage, page: Page, session_id: string) => {
  await begin(stage, "demo", session_id)
  await page.goto(`${stage.url()}/#/s/${session_id}`)
  await page.getByText("Ready when you are").waitFor()
}

export const answerQuestion = async (page: Page) => {
  await page.getByRole("radio", { name: /Whole cents/ }).check()
  await page.getByRole("button", { name: "Answer", exact: true }).click()
}

export const allow = (page: Page) => page.getByRole("button", { name: "Allow once" }).click()

export const said = (page: Page, text: string | RegExp) =>
  page.getByRole("log").getByText(text).first().waitFor()

export const isIdle = (page: Page) => page.locator(".bar-state", { hasText: /· ready$/ }).waitFor()

/** So many of them are there. */
export const areThere = async (things: Locator, count: number) => {
  await expect.poll(() => things.count(), { timeout: patience }).toBe(count)
}

/** The conversation scrolls no longer: until then, what is clicked may move away under the mouse. */
export const standsStill = async (page: Page) => {
  let before = Number.NaN
  await expect.poll(async () => {
    const last = before
    before = Number(await page.evaluate("document.querySelector('.scroller').scrollTop"))
    return before - last
  }, { interval: 250, timeout: patience }).toBe(0)
}

/** What axe finds wrong, in words. */
export const violations = async (page: Page): Promise<ReadonlyArray<string>> => {
  // Evaluated by the debugger, which the page's policy does not bind.
  await page.evaluate(axe.source)
  const found = await page.evaluate("axe.run(document, { resultTypes: ['violations'] })") as AxeResults
  return found.violations.map(({ help, id, nodes }) =>
    `${id}: ${help}: ${nodes.map(({ html }) => html.slice(0, 160)).join(" | ")}`
  )
}
