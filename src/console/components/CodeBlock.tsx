/**
 * CodeBlock: code to read and copy. Syntax colours are added once it is complete; they change neither width
 * nor height.
 */
import { useMemo } from "react"
import { CopyButton } from "./CopyButton.js"
import { LongText } from "./LongText.js"
import { useColours } from "./useColours.js"

interface Props {
  readonly code: string
  readonly language: string | undefined
  readonly whole: boolean
}

export const CodeBlock = ({ code, language, whole }: Props) => {
  const parts = useMemo(() => whole ? [code] : undefined, [code, whole])
  const html = useColours(parts, language)(whole ? code : undefined)
  return (
    <figure className="code">
      <figcaption>
        <span>{language ?? "text"}</span>
        <CopyButton text={code} />
      </figcaption>
      <pre tabIndex={0}>
        {html === undefined ? <code><LongText text={code} lines={2000} chars={60_000} /></code> : <Coloured html={html} />}
      </pre>
    </figure>
  )
}

/** `html` comes from highlight.js, which escapes the code. */
const Coloured = ({ html }: { readonly html: string }) => <code dangerouslySetInnerHTML={{ __html: html }} />
