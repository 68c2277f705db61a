/**
 * plainDiagram: which Mermaid texts are drawn, and which parts are left out: agents write them, and they must
 * not freeze the page.
 */

/**
 * Limits for drawing at all: Mermaid runs in the page itself, and some thirty characters would freeze it
 * permanently. `statements` are lines, boxes in a row and arrows; `word` and `line` are in characters.
 */
export const most = { chars: 4000, statements: 60, word: 100, line: 400, nested: 12 } as const
export const mostEdges = 60

const simpleStyle = /^[\w\s#:,.%()&-]*$/

/** Removes settings for Mermaid itself, and styles that are more than names and values. */
export const plainDiagram = (text: string): string =>
  text
    .replace(/^\s*---[ \t]*\n[^]*?\n[ \t]*---[ \t]*(?:\n|$)/, "")
    .replaceAll(/%%\{[^]*?(?:\}%%|$)/g, "")
    .split("\n")
    .filter((line) =>
      !/^\s*(?:classDef|style|linkStyle|click|link|links|callback)\b/.test(line) || simpleStyle.test(line)
    )
    .join("\n")

/**
 * Kinds whose cost depends on their length. Others count: `space:3000000` in a block diagram is three million
 * blocks.
 */
const kinds =
  /^(?:graph|flowchart|sequenceDiagram|classDiagram(?:-v2)?|stateDiagram(?:-v2)?|erDiagram|gantt|pie|journey|timeline|gitGraph|quadrantChart|xychart(?:-beta)?)(?![\w-])/
/** Time spans a Gantt chart walks through day by day. */
const longTime = /\d{3,}\s*[wMy]|\d{4,}\s*[a-z]/

/** Whether a diagram (`plainDiagram`) can be drawn without freezing the page. */
export const isModest = (text: string): boolean => {
  const lines = text.split("\n").filter((line) => !/^\s*(?:%%|$)/.test(line))
  const count = (sign: RegExp) => text.match(sign)?.length ?? 0
  const first = lines[0]?.trim() ?? ""
  return text.length <= most.chars
    && kinds.test(first)
    // Removing one may create another.
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
