/** Markdown: an agent's text, also while it is still half written: what is there keeps its place as more comes. */
import { createContext, memo, type ReactNode, useContext } from "react"
import { type Components, Streamdown } from "streamdown"
import { CodeBlock } from "./CodeBlock.js"

const Whole = createContext(true)

const textIn = (children: ReactNode): string =>
  typeof children === "string" ? children : Array.isArray(children) ? children.map(textIn).join("") : ""

const Code = (
  { children, className }: { readonly children?: ReactNode; readonly className?: string | undefined }
) => {
  const whole = useContext(Whole)
  const language = /language-([\w+#-]+)/.exec(className ?? "")?.[1]
  return <CodeBlock code={textIn(children).replace(/\n$/, "")} language={language} whole={whole} />
}

/** Our own, for Streamdown's are drawn by a stylesheet the console does not have. */
const components: Components = {
  code: ({ children, className }) => <Code className={className}>{children}</Code>,
  inlineCode: ({ children }) => <code>{children}</code>,
  a: ({ children, href }) => <a href={href} target="_blank" rel="noopener noreferrer">{children}</a>,
  img: ({ alt, src }) =>
    typeof src === "string" && src.startsWith("data:")
      ? <img src={src} alt={alt ?? ""} />
      : <span className="muted">{alt}</span>,
  table: ({ children }) => (
    <div className="table">
      <table>{children}</table>
    </div>
  ),
  ...Object.fromEntries(
    ([
      "h1",
      "h2",
      "h3",
      "h4",
      "h5",
      "h6",
      "p",
      "ul",
      "ol",
      "li",
      "blockquote",
      "hr",
      "strong",
      "thead",
      "tbody",
      "tr",
      "th",
      "td"
    ] as const)
      .map((
        Tag
      ) => [
        Tag,
        ({ children }: { readonly children?: ReactNode }) => Tag === "hr" ? <hr /> : <Tag>{children}</Tag>
      ])
  )
}

export const Markdown = memo(({ text, whole }: { readonly text: string; readonly whole: boolean }) => (
  <Whole value={whole}>
    <Streamdown
      className="md"
      mode={whole ? "static" : "streaming"}
      parseIncompleteMarkdown={!whole}
      components={components}
      controls={false}
      linkSafety={{ enabled: false }}
    >
      {text}
    </Streamdown>
  </Whole>
))
