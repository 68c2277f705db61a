/**
 * toMarkdown: a conversation as Markdown, to read or share: prompts, answers, tools with their changes, and
 * questions with their outcome.
 */
import { open, text } from "./read.js"
import type { Item, ToolItem, View } from "./View.js"

/** A fence longer than any in the text, so that nothing closes it early. */
const fenced = (content: string, language: string): string => {
  const longest = Math.max(2, ...[...content.matchAll(/`+/g)].map(([run]) => run.length))
  const fence = "`".repeat(longest + 1)
  return `${fence}${language}\n${content.replace(/\n$/, "")}\n${fence}`
}

const quoted = (content: string): string =>
  content.split("\n").map((line) => `> ${line}`.trimEnd()).join("\n")

const subjectOf = (args: unknown): string => {
  const fields = open(args)
  const said = text(fields["command"]) ?? text(fields["file_path"]) ?? text(fields["path"])
    ?? text(fields["pattern"]) ?? text(fields["url"]) ?? ""
  return said.split("\n", 1)[0] ?? ""
}

const longestOutput = 4_000

const ofTool = ({ args, decided, diffs, output, state, tool }: ToolItem): string => {
  const subject = subjectOf(args)
  const head = `**${tool}**${subject === "" ? "" : ` \`${subject.replaceAll("`", "'")}\``}`
  const how = decided?.verdict === "denied" ? " (denied)" : state === "error" ? " (failed)" : ""
  const shown = diffs.length > 0
    ? diffs.map(({ diff }) => fenced(diff, "diff"))
    : output.trim() === ""
    ? []
    : [fenced(output.length > longestOutput ? `${output.slice(0, longestOutput)}\n…` : output, "")]
  return [head + how, ...shown].join("\n\n")
}

const ofItem = (item: Item): string | undefined => {
  switch (item.kind) {
    case "user":
      return quoted(item.text)
    case "text":
      return item.text.trim()
    case "tool":
      return ofTool(item)
    case "diff":
      return fenced(item.diff, "diff")
    case "ask": {
      const answers = Object.entries(item.decided?.answers ?? {})
      return answers.length === 0
        ? undefined
        : answers.map(([question, answer]) => `*${question}* ${answer}`).join("\n\n")
    }
    case "notice":
      return `*${item.text}*`
    case "reasoning":
    case "output":
    case "end":
      return undefined
  }
}

/** Ends with a newline. */
export const toMarkdown = ({ folder, items, title, tool }: View): string => {
  const head = `# ${title ?? (folder === "" ? tool : folder)}`
  const parts = items.map(ofItem).filter((part) => part !== undefined && part !== "")
  return `${[head, ...parts].join("\n\n")}\n`
}
