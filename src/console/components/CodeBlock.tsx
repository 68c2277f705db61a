/** CodeBlock: code to read and to copy. It gets its colours when it is whole; they change no width and no height. */
import { CopyButton } from "./CopyButton.js"
import { useColours } from "./useColours.js"

interface Props {
  readonly code: string
  readonly language: string | undefined
  readonly whole: boolean
}

export const CodeBlock = ({ code, language, whole }: Props) => {
  const html = useColours(whole ? code : undefined, language)
  return (
    <figure className="code">
      <figcaption>
        <span>{language ?? "text"}</span>
        <CopyButton text={code} />
      </figcaption>
      <pre tabIndex={0}>
        {html === undefined ? <code>{code}</code> : <Coloured html={html} />}
      </pre>
    </figure>
  )
}

/** `html` was written by highlight.js, which escapes the code. */
const Coloured = ({ html }: { readonly html: string }) => <code dangerouslySetInnerHTML={{ __html: html }} />
