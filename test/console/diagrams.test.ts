/** Which diagrams are drawn: those that people are shown, and none that would freeze the page. */
import { describe, expect, it } from "vitest"
import { isModest, plainDiagram } from "../../src/console/components/plainDiagram.js"

const rows = (count: number, row: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => row(index)).join("\n")

describe("a diagram is drawn", () => {
  it.each([
    "graph TD\n  A-->B",
    "%% a comment\n\nflowchart LR\n  A[Cart] --> B{Paid?}\n  B -->|yes| C[Ship]\n  subgraph one\n    D\n  end",
    `flowchart TD\n${rows(58, (index) => `  n${index % 30} --> n${(index * 7) % 30}`)}`,
    "sequenceDiagram\n  autonumber\n  Shop->>Bank: pay 12000000\n  alt ok\n    Bank-->>Shop: done\n  end",
    "classDiagram-v2\n  class Cart {\n    +total() int\n  }\n  Cart <|-- Gift",
    "stateDiagram-v2\n  [*] --> Open\n  Open --> [*]",
    "erDiagram\n  USER ||--o{ ORDER : places",
    "gantt\n  dateFormat YYYY-MM-DD\n  excludes weekends\n  section A\n  Plan :a1, 2026-01-01, 30d\n  Build :after a1, 12w",
    "pie title Pets\n  \"Dogs\" : 386000000\n  \"Cats\" : 85",
    "gitGraph LR:\n  commit\n  branch next\n  commit",
    "timeline\n  2002 : LinkedIn",
    "xychart-beta\n  x-axis [jan, feb]\n  bar [5000, 6000]"
  ])("as usual: %s", (text) => expect(isModest(plainDiagram(text))).toBe(true))
})

describe("a diagram stays text", () => {
  // Each of them held Chromium up for seconds, or for ever.
  it.each([
    ["blocks that are counted", "block-beta\n  a space:3000000 b"],
    ["bits that are counted", "packet-beta\n  0-90000000: \"x\""],
    ["rings that are counted", "radar-beta\n  axis a,b,c\n  curve x{1,2,3}\n  ticks 100000000"],
    [
      "days that are counted",
      `gantt\n excludes monday\n section A\n${rows(40, (at) => ` t${at} :a${at}, 2000-01-01, 9999d`)}`
    ],
    ["weeks that are counted", "gantt\n excludes monday\n t :a, 2000-01-01, 500w"],
    ["many boxes", `graph TD\n${rows(900, (at) => `n${at}`)}`],
    ["many boxes on a line", `graph TD\n${Array.from({ length: 90 }, (_, at) => `n${at}`).join(";")}`],
    [
      "many arrows on few lines",
      `graph TD\n${rows(9, (line) => Array.from({ length: 12 }, (_, at) => `n${line}${at}`).join("-->"))}`
    ],
    ["many classes", `classDiagram\n${rows(300, (at) => `class C${at}`)}`],
    ["many tables", `erDiagram\n${rows(300, (at) => `A${at} ||--o{ B${at} : x`)}`],
    ["many commits", `gitGraph\n${rows(300, () => "commit")}`],
    ["deep ones", `graph TD\n${rows(25, (at) => `subgraph s${at}`)}\na-->b\n${rows(25, () => "end")}`],
    [
      "deep states",
      `stateDiagram-v2\n${rows(25, (at) => `state s${at} {`)}\na --> b\n${rows(25, () => "}")}`
    ],
    ["a long word", `graph TD\n a[${"w".repeat(3000)}]`],
    ["a long label", `graph TD\n a[${"word ".repeat(600)}]`],
    ["a kind nobody knows", "newDiagram\n a"],
    ["settings that two looks would find", "%%%{x}%%%{init: {'themeCSS': 'x'}}%%\ngraph TD\n a-->b"],
    ["settings behind settings", "---\na: 1\n---\n---\nconfig: {}\n---\ngraph TD\n a-->b"],
    ["nothing", ""]
  ])("of %s", (_, text) => expect(isModest(plainDiagram(text))).toBe(false))
})
