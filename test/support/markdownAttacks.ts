/** markdownAttacks: texts on which a parser of Markdown is slow, or deep, or both; each of any length. */
const times = (text: string) => (length: number) => text.repeat(Math.ceil(length / text.length))

const growing = (line: (index: number) => string) => (length: number) => {
  let text = ""
  for (let index = 0; text.length < length; index++) text += line(index)
  return text
}

export const markdownAttacks: Readonly<Record<string, (length: number) => string>> = {
  quotes: times("> "),
  "quotes and lists": times("> - "),
  "lists in a line": times("- "),
  "numbers in a line": times("1. "),
  "nested lists": growing((index) => `${" ".repeat(index * 2)}- a\n`),
  "nested lists with tabs": growing((index) => `${"\t".repeat(index)}- a\n`),
  "deep quotes, again and again": growing(() => `${"> ".repeat(25)}a\n${"- ".repeat(24)}b\n\n`),
  elements: times("<div>"),
  "elements closed by others": times("<div></p>"),
  "elements of two kinds": times("<b><i>"),
  "elements in a fence that is none": (length) => `<pre>\n\`\`\`\n${"<div>".repeat(length / 5)}`,
  "elements in a fence in HTML": (length) => `<div>\n- a\n\`\`\`\n${"<div>".repeat(length / 5)}`,
  "stars in a list's fence": (length) => `- a\n  \`\`\`\n${"*a_".repeat(length / 3)}`,
  "stars after an indented fence": (length) => `    \`\`\`\n${"*a_".repeat(length / 3)}`,
  emphasis: times("*a_"),
  "emphasis in rows": times("*a_\n"),
  strikes: times("~~a~"),
  brackets: times("["),
  "closed brackets": times("]"),
  "brackets both ways": (length) => "[".repeat(length / 2) + "]".repeat(length / 2),
  images: (length) => `${"![".repeat(length / 4)}a${"](b)".repeat(length / 8)}`,
  links: times("[a](http://b.c) "),
  "links that do not end": times("[a](b"),
  footnotes: times("[^1]: a\n"),
  references: (length) => `[a]: /b\n\n${"[a] ".repeat(length / 4)}`,
  ticks: growing((index) => `${"`".repeat(index)} `),
  "smaller-than": times("<"),
  comments: times("<!--"),
  entities: times("&amp;"),
  backslashes: times("\\"),
  addresses: times("http://a_b*c."),
  "rows of a table": (length) => `a|b\n-|-\n${"1|2\n".repeat(length / 4)}`,
  "columns of a table": (length) => ["a|", "-|", "1|"].map((cell) => cell.repeat(length / 6)).join("\n"),
  "stars in a table": (length) => `a|b\n-|-\n${"*a_".repeat(length / 3)}`,
  "cells without a table": times("|a\n"),
  headings: times("# a\n"),
  "underlined headings": times("a\n=\n\n"),
  items: times("- a\n"),
  "loose items": times("- a\n\n"),
  tasks: times("- [ ] a\n"),
  rules: times("---\n"),
  paragraphs: times("word\n\n"),
  fences: times("```\na\n```\n"),
  "an open fence": (length) => `\`\`\`ts\n${"const a = 1\n".repeat(length / 12)}`,
  "one line": times("word "),
  "one word": times("a"),
  "empty lines": times(" \n"),
  JSON: (length) => JSON.stringify(Array.from({ length: length / 20 }, (_, id) => ({ id, name: "x" })))
}
