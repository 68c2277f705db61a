/** What an agent may say to freeze or to blank the console: it stays alive, shows the text, and can be answered. */
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Page } from "playwright-core"
import { describe, expect, it } from "vitest"
import { connect } from "../support/client.js"
import { markdownAttacks } from "../support/markdownAttacks.js"
import { desktop, phone, whyNoBrowser } from "../support/page.js"
import { areThere, said, violations } from "./actions.js"
import { look, setStage } from "./stage.js"

const missing = whyNoBrowser()
if (missing !== undefined) console.log(`skipping attacks on the console: ${missing}`)

/** No task of the page may take longer, in ms of its own thread's time. */
const freeze = 1000

type Event = Readonly<Record<string, unknown>>

const say = (text: string): Event => ({ type: "assistant_message", text, content: [{ type: "text", text }] })
const fenced = (language: string, code: string) => `\`\`\`\`${language}\n${code}\n\`\`\`\`\n\n`
const longLine = "x".repeat(1_000_000)
const manyLines = (word: string) =>
  Array.from({ length: 20_000 }, (_, index) => `${word} ${index}`).join("\n")
const deep = JSON.parse("[".repeat(90) + "]".repeat(90)) as unknown

const ask = (tool: string, args: unknown, request_id = "ask-1"): Event => ({
  type: "permission_request",
  request_id,
  tool,
  args,
  metadata: { kind: "tool" }
})

/** Each a turn of its own. */
const attacks: Readonly<Record<string, ReadonlyArray<Event>>> = {
  ...Object.fromEntries(
    Object.entries(markdownAttacks).map(([name, make]) => [name, [say(make(45_000))]])
  ),
  "Markdown just within the budget, many times": Array.from(
    { length: 12 },
    (_, index) => say(`${"*a_".repeat(230)} ${index}\n\n`)
  ),
  "code of 60 KB": [say(`\`\`\`ts\n${"const a: Array<{ b: string }> = [`${c}`]\n".repeat(1500)}\`\`\``)],
  "code that is hard to colour": [
    say(`\`\`\`ts\n${"a<".repeat(9000)}\n\`\`\`\n\n`),
    say(`\`\`\`bash\n${"$((".repeat(6000)}\n\`\`\`\n`),
    say(`\`\`\`xml\n${"<a b=".repeat(3900)}\n\`\`\`\n`),
    say(`\`\`\`markdown\n${"*a_".repeat(6500)}\n\`\`\`\n`)
  ],
  "a line of a megabyte, said and thought": [say(longLine), { type: "reasoning", text: longLine }],
  "the input and output of a tool": [
    { type: "tool_call", tool: "Bash", tool_use_id: "t", args: { command: longLine } },
    {
      type: "tool_result",
      tool_use_id: "t",
      status: "error",
      text: `${longLine}\n${"line\n".repeat(100_000)}`
    },
    { type: "tool_call", tool: "odd", tool_use_id: "u", args: { deep, text: longLine } },
    { type: "tool_result", tool_use_id: "u", status: "error", text: "failed" }
  ],
  "a diff": [{
    type: "file_diff",
    file_path: "/a.ts",
    diff: `--- /a.ts\n+++ /a.ts\n@@ -1,1 +1,20001 @@\n-${longLine}\n${"+const a = 1\n".repeat(20_001)}`
  }],
  "text that streams": Array.from(
    { length: 300 },
    () => ({ type: "stream_event", delta: "text", text: "> *a_ <div>\n" })
  )
}

const asks: Readonly<Record<string, Event>> = {
  "an edit of 20,000 lines": ask("Edit", {
    file_path: "/shop/a.ts",
    old_string: manyLines("old"),
    new_string: manyLines("new")
  }),
  "a file of a megabyte in a line": ask("Write", { file_path: "/shop/a.ts", content: longLine }),
  "deep arguments": ask("mcp__odd__tool", { deep, text: longLine }),
  "a plan that nests": {
    ...ask("ExitPlanMode", { plan: "> ".repeat(3000) }),
    text: "> ".repeat(3000),
    metadata: { kind: "plan" }
  }
}

const numbered = (turns: Readonly<Record<string, ReadonlyArray<Event>>>) =>
  Object.entries(turns).flatMap(([name, events]) => [
    { type: "turn_start", text: name },
    ...events,
    say(`End of ${name}.`),
    { type: "turn_end", stop_reason: "end_turn" }
  ])

/** A turn that nobody asks for, so that the session stays. */
const neverAsked: ReadonlyArray<Event> = [{ type: "turn_start" }, {
  type: "turn_end",
  stop_reason: "end_turn"
}]

/** What the page's main thread has worked since it was asked last, and its longest task, in ms. */
const watch = async (page: Page) => {
  const debug = await page.context().newCDPSession(page)
  await debug.send("Performance.enable", { timeDomain: "threadTicks" })
  await page.addInitScript(
    "window.long = []; new PerformanceObserver((list) => long.push(...list.getEntries().map(({ duration }) => duration))).observe({ type: 'longtask', buffered: true })"
  )
  let before = 0
  /** The machine may do something else during a task: then its length says more than the page has worked. */
  return async (): Promise<number> => {
    const { metrics } = await debug.send("Performance.getMetrics")
    const now = metrics.find(({ name }) => name === "TaskDuration")?.value ?? 0
    const worked = (now - before) * 1000
    before = now
    const tasks = await page.evaluate("window.long?.splice(0) ?? []") as ReadonlyArray<number>
    return Math.round(Math.min(worked, Math.max(0, ...tasks)))
  }
}

describe.skipIf(missing !== undefined)("what would freeze or blank the console", () => {
  const stage = setStage()

  const play = async (name: string, events: ReadonlyArray<object>) => {
    writeFileSync(
      join(stage.home, `${name}.ndjson`),
      events.map((event, index) => JSON.stringify({ ...event, seq: index + 1, ts: 1 })).join("\n")
    )
    const client = await connect(stage.url().replace("http:", "ws:"), {
      tool: "replay",
      folder: stage.home,
      command: [`${name}.ndjson`, "--on-prompt"],
      session_id: name,
      linger: 600
    })
    await client.waitFor("session_start")
    const page = await stage.open()
    const worst = await watch(page)
    await page.goto(`${stage.url()}/#/s/${name}`)
    await page.getByText(/Ready when you are/).waitFor()
    return { client, page, worst }
  }

  it("is shown, live and after a reload, while the page stays alive", async () => {
    const { client, page, worst } = await play("attacks", [
      ...numbered(attacks),
      ...neverAsked
    ])
    const slow: Array<string> = []
    await worst()
    for (const name of Object.keys(attacks)) {
      client.send({ text: name })
      await said(page, `End of ${name}.`)
      await page.getByLabel("Prompt", { exact: true }).fill(name)
      const ms = await worst()
      if (ms > 300) console.log(`${name}: ${ms} ms`)
      if (ms > freeze) slow.push(`${name}: ${ms} ms`)
    }
    expect(slow).toEqual([])
    await client.close()
    await page.reload()
    await said(page, /^End of /)
    // All of it is drawn once more.
    await page.locator(".scroller").hover()
    for (let step = 0; step < 60; step++) await page.mouse.wheel(0, -3000)
    await page.getByLabel("Prompt", { exact: true }).fill("I can still type")
    expect(await worst()).toBeLessThan(freeze)
  })

  it("answers the mouse over a line of thousands of colours", async () => {
    const { client, page, worst } = await play("colours", [
      ...numbered({
        colours: [say(fenced("xml", "<a b=".repeat(3900))), say(fenced("ts", "`${".repeat(900)))]
      }),
      ...neverAsked
    ])
    client.send({ text: "colours" })
    await said(page, "End of colours.")
    const coloured = page.locator("figure.code code:has(span)")
    await areThere(coloured, 2)
    await worst()
    for (const code of await coloured.all()) await code.hover({ position: { x: 20, y: 8 } })
    expect(await worst()).toBeLessThan(300)
    await client.close()
  })

  it("shows thousands of calls, steps and changed files part by part", async () => {
    const calls = (count: number, tool: string, more: object = {}) =>
      Array.from({ length: count }, (_, index) => {
        const tool_use_id = `${tool}-${index}`
        return [
          { type: "tool_call", tool, tool_use_id, args: { file_path: `/shop/${index}.ts` }, ...more },
          { type: "tool_result", tool_use_id, status: "ok", text: "ok" }
        ]
      }).flat()
    const diff = (index: number) => ({
      type: "file_diff",
      tool_use_id: "patch",
      file_path: `/shop/${index}.ts`,
      diff: "--- a\n+++ b\n@@ -1,1 +1,1 @@\n-a\n+b\n"
    })
    const { client, page, worst } = await play("many", [
      ...numbered({
        looks: calls(3000, "Read"),
        files: [
          { type: "tool_call", tool: "apply_patch", tool_use_id: "patch", args: {} },
          ...Array.from({ length: 2000 }, (_, index) => diff(index)),
          { type: "tool_result", tool_use_id: "patch", status: "ok", text: "ok" }
        ]
      }),
      ...neverAsked
    ])
    await worst()
    client.send({ text: "looks" })
    await said(page, "End of looks.")
    await page.getByRole("button", { name: /3,?000 steps/ }).click()
    await page.getByRole("button", { name: "2,900 more" }).click()
    await areThere(page.locator(".tool-group .tool"), 200)
    client.send({ text: "files" })
    await said(page, "End of files.")
    await areThere(page.locator("figure.diff"), 50)
    await page.getByRole("button", { name: "1,950 more" }).waitFor()
    expect(await worst()).toBeLessThan(freeze)
    await client.close()
  })

  it("draws formulas and diagrams, loaded with the first one, and runs nothing of what they hold", async () => {
    const mermaid = (text: string) => fenced("mermaid", text).trim()
    const edges = Array.from({ length: 58 }, (_, index) => `  n${index % 30} --> n${(index * 7) % 30}`)
    const turns: Readonly<Record<string, string>> = {
      nothing: "That costs $5, or $10 for two.",
      formulas:
        "So \\(a^2\\) and $x_1$ for $5:\n\n$$\\int_0^1 x\\,dx = \\frac12$$\n\n| a name | n | sum |\n|---|:-:|--:|\n| A rather long name of a thing in a cart that is full | 1073 | \\(|s|\\) |\n\n"
        + "Broken: \\(\\frac{1\\) \\(\\href{javascript:alert(1)}{here}\\)",
      diagrams: [
        mermaid("flowchart LR\n  A[Cart] --> B{Paid?}\n  B -->|yes| C[Ship]"),
        mermaid("sequenceDiagram\n  Shop->>Bank: <img src=x onerror=alert(1)>\n  Bank-->>Shop: ok"),
        mermaid("this is no diagram")
      ].join("\n\n"),
      "hostile diagrams": [
        mermaid(
          "%%{init: {'securityLevel': 'loose', 'themeCSS': '} body { display: none }'}}%%\nflowchart LR\n  A-->B\n  click A \"javascript:alert(1)\"\n  style A fill:#fff}} body{display:none"
        ),
        mermaid(
          "stateDiagram-v2\n  [*] --> Open\n  classDef bad fill:red}} body{display:none !important;a{b:\n  class Open bad"
        )
      ].join("\n\n"),
      "diagrams without an end": [
        mermaid("block-beta\n  a space:3000000 b"),
        mermaid(`gantt\n excludes monday\n${" t :2000-01-01, 999999d\n".repeat(40)}`),
        mermaid(`erDiagram\n${"  A1 ||--o{ B1 : x\n".repeat(300)}`)
      ].join("\n\n"),
      "a large diagram": mermaid(`flowchart TD\n${edges.join("\n")}`),
      "too large a diagram": mermaid(`flowchart TD\n${"  a --> b\n".repeat(5000)}`)
    }
    const { client, page, worst } = await play(
      "drawn",
      [
        ...numbered(Object.fromEntries(Object.entries(turns).map(([name, text]) => [name, [say(text)]]))),
        ...neverAsked
      ]
    )
    const loaded: Array<string> = []
    page.on("request", (request) => loaded.push(new URL(request.url()).pathname))
    const formulas = page.locator("math")
    const pictures = page.getByRole("img", { name: /^Diagram: / })
    client.send({ text: "nothing" })
    await said(page, "That costs $5, or $10 for two.")
    expect(loaded.filter((path) => path.endsWith(".js"))).toEqual([])

    client.send({ text: "formulas" })
    await said(page, "End of formulas.")
    await areThere(formulas, 4)
    expect(await page.locator("mfrac").count()).toBe(1)
    expect(await page.locator(".maths-source").allTextContents()).toEqual([
      "\\(\\frac{1\\)",
      "\\(\\href{javascript:alert(1)}{here}\\)"
    ])
    await page.getByRole("log").getByText(/for \$5:/).waitFor()
    await look(page, "maths")
    expect(await violations(page)).toEqual([])
    expect(loaded.filter((path) => path.includes("mermaid"))).toEqual([])
    // A table keeps its words and numbers whole, also where there is no room, and its columns to their sides.
    await page.setViewportSize(phone)
    const cells = await page.evaluate(`[...document.querySelectorAll(".table td")].map((cell) => {
      const range = document.createRange()
      range.selectNodeContents(cell)
      return [getComputedStyle(cell).textAlign, range.getClientRects().length]
    })`) as ReadonlyArray<readonly [string, number]>
    expect(cells.map(([side]) => side)).toEqual([expect.stringMatching(/left|start/), "center", "right"])
    expect(cells[1]?.[1]).toBe(1)
    await look(page, "table-phone")
    await page.setViewportSize(desktop)

    await worst()
    client.send({ text: "diagrams" })
    await said(page, "End of diagrams.")
    await areThere(pictures, 2)
    // What an image shows, the page's own elements do not.
    expect(await page.locator(".transcript svg[id^=ai-relay-diagram], img[src=x]").count()).toBe(0)
    const [box] = await Promise.all([
      pictures.first().boundingBox(),
      page.getByText("this is no diagram").waitFor()
    ])
    expect(box?.width).toBeGreaterThan(100)
    await look(page, "diagrams")
    expect(await violations(page)).toEqual([])
    await page.getByRole("button", { name: "Show the source" }).first().click()
    await page.getByText("A[Cart] --> B{Paid?}").waitFor()
    console.log(`two diagrams: ${await worst()} ms`)

    const slow: Array<string> = []
    for (
      const name of ["hostile diagrams", "diagrams without an end", "a large diagram", "too large a diagram"]
    ) {
      await worst()
      client.send({ text: name })
      await said(page, `End of ${name}.`)
      await page.getByRole("log").getByText(name === "too large a diagram" ? "a --> b" : /^mermaid$/).last()
        .waitFor()
      await areThere(page.locator(".diagram-measure"), 0)
      await page.getByLabel("Prompt", { exact: true }).fill(name)
      const ms = await worst()
      console.log(`${name}: ${ms} ms`)
      if (ms > freeze) slow.push(`${name}: ${ms} ms`)
    }
    expect(slow).toEqual([])
    expect(await page.locator(".diagram-measure").count()).toBe(0)
    await look(page, "hostile-diagrams")
    await client.close()
  })

  it("can be answered when it is a question", async () => {
    const { client, page, worst } = await play(
      "asks",
      Object.entries(asks).flatMap(([name, event], index) => [
        { type: "turn_start", text: name },
        { ...event, request_id: `ask-${index}` },
        { type: "control_response", request_id: `ask-${index}`, status: "allow" },
        say(`End of ${name}.`),
        { type: "turn_end", stop_reason: "end_turn" }
      ])
    )
    const slow: Array<string> = []
    for (const name of Object.keys(asks)) {
      await worst()
      client.send({ text: name })
      await page.getByRole("button", { name: /Allow once|Approve/ }).click()
      await said(page, `End of ${name}.`)
      const ms = await worst()
      if (ms > freeze) slow.push(`${name}: ${ms} ms`)
    }
    expect(slow).toEqual([])
    await client.close()
  })
})
