/**
 * Markdown: an agent's text, also while it is being written: existing content keeps its position as more
 * arrives.
 */
import { createContext, memo, type ReactNode, useContext, useMemo } from "react"
import { type Components, Streamdown } from "streamdown"
import { w } from "../words/words.js"
import { Boundary } from "./Boundary.js"
import { CodeBlock } from "./CodeBlock.js"
import { DiagramBlock } from "./DiagramBlock.js"
import { formulaIn, markMaths } from "./formulas.js"
import { LongText } from "./LongText.js"
import { splitMarkdown } from "./markdownBudget.js"
import { Maths } from "./Maths.js"

const Whole = createContext(true)

const textIn = (children: ReactNode): string =>
  typeof children === "string" ? children : Array.isArray(children) ? children.map(textIn).join("") : ""

const Code = (
  { children, className }: { readonly children?: ReactNode; readonly className?: string | undefined }
) => {
  const whole = useContext(Whole)
  const language = /language-([\w+#-]+)/.exec(className ?? "")?.[1]
  const code = textIn(children).replace(/\n$/, "")
  if (whole && language === "mermaid") return <DiagramBlock code={code} />
  if (whole && language === "math") return <Maths source={code} tex={code} display />
  return <CodeBlock code={code} language={language} whole={whole} />
}

const InlineCode = ({ children }: { readonly children?: ReactNode }) => {
  const formula = formulaIn(textIn(children))
  return formula === undefined ? <code>{children}</code> : <Maths {...formula} />
}

/** Our own, because Streamdown's need a stylesheet the console does not have. */
const components: Components = {
  code: ({ children, className }) => <Code className={className}>{children}</Code>,
  inlineCode: ({ children }) => <InlineCode>{children}</InlineCode>,
  a: ({ children, href }) => <a href={href} target="_blank" rel="noopener noreferrer">{children}</a>,
  img: ({ alt, src }) =>
    typeof src === "string" && src.startsWith("data:")
      ? <img src={src} alt={alt ?? ""} />
      : typeof src === "string" && /^https?:/.test(src)
      // A page of the console loads nothing from elsewhere.
      ? <a href={src} target="_blank" rel="noopener noreferrer">{alt || src}</a>
      : <span className="muted">{alt}</span>,
  th: ({ children, style }) => <th style={style}>{children}</th>,
  td: ({ children, style }) => <td style={style}>{children}</td>,
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
      "tr"
    ] as const)
      .map((
        Tag
      ) => [
        Tag,
        ({ children }: { readonly children?: ReactNode }) => Tag === "hr" ? <hr /> : <Tag>{children}</Tag>
      ])
  )
}

/** Only as much as is safe (`markdownBudget.ts`): the rest is shown as plain text. */
export const Markdown = memo(({ text, whole }: { readonly text: string; readonly whole: boolean }) => {
  const { marked, plain, rich } = useMemo(() => {
    const { plain, rich } = splitMarkdown(text)
    return { plain, rich, marked: markMaths(rich) }
  }, [text])
  return (
    <Boundary text={() => text}>
      {rich !== "" && (
        <Whole value={whole || plain !== ""}>
          <Streamdown
            className="md"
            mode={whole ? "static" : "streaming"}
            parseIncompleteMarkdown={!whole && plain === ""}
            components={components}
            controls={false}
            linkSafety={{ enabled: false }}
          >
            {marked}
          </Streamdown>
        </Whole>
      )}
      {plain !== "" && (
        <div className="plain">
          {rich !== "" && <p className="muted">{w.shownAsPlainText}</p>}
          <div className="plain-text">
            <LongText text={plain.replace(/^\n+/, "")} exact />
          </div>
        </div>
      )}
    </Boundary>
  )
})
