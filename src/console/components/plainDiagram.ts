/** plainDiagram: which of Mermaid's texts are drawn, and without what: they are an agent's, and the page must not stand still for them. */

/**
 * Bounds of what is drawn at all: it is drawn where the page itself runs, and some thirty characters would freeze it for good.
 * `statements` are lines, boxes in a row and arrows; `word` and `line` are in characters.
 */
export const most = { chars: 4000, statements: 60, word: 100, line: 400, nested: 12 } as const
export const mostEdges = 60

const simpleStyle = /^[\w\s#:,.%()&-]*$/

/** Without what sets up Mermaid itself, and without styles that are more than names and values. */
export const plainDiagram = (text: string): string =>
  text
    .replace(/^\s*---[ \t]*\n[^]*?\n[ \t]*---[ \t]*(?:\n|$)/, "")
    .replaceAll(/%%\{[^]*?(?:\}%%|$)/g, "")
    .split("\n")
    .filter((line) =>
      !/^\s*(?:classDef|style|linkStyle|click|link|links|callback)\b/.test(line) || simpleStyle.test(line)
    )
    .join("\n")

/** Those whose cost is that of their length. Others count: `space:3000000` in a block diagram is three million blocks. */
const kinds =
  /^(?:graph|flowchart|sequenceDiagram|classDiagram(?:-v2)?|stateDiagram(?:-v2)?|erDiagram|gantt|pie|journey|timeline|gitGraph|quadrantChart|xychart(?:-beta)?)(?![\w-])/
/** What a chart of tasks walks through day by day. */
const longTime = /\d{3,}\s*[wMy]|\d{4,}\s*[a-z]/

/** Whether a diagram (`plainDiagram`) takes no longer to draw than a page may stand still. */
export const isModest = (text: string): boolean => {
  const lines = text.split("\n").filter((line) => !/^\s*(?:%%|$)/.test(line))
  const count = (sign: RegExp) => text.match(sign)?.length ?? 0
  const first = lines[0]?.trim() ?? ""
  return text.length <= most.chars
    && kinds.test(first)
    // What one look takes out may put another together.
    && !text.includes("%%{")
    && Math.max(
        lines.length + count(/[;&]/g),
        count(/[-=.~<>|o*x}{]*(?:--|==|-\.|\.\.|~~|->)[-=.~<>|o*x}{]*/g)
      )
      <= most.statements
    && lines.every((line) => line.length <= most.line)
    && !new RegExp(`\\S{${most.word + 1}}`).test(text)
    && count(/^\s*(?:subgraph|loop|alt|opt|par|critical|break|rect|box|namespace)\b|\{\s*$/gm) <= most.nested
    && !(first.startsWith("gantt") && longTime.test(text))
}
