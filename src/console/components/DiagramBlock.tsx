/**
 * DiagramBlock: a Mermaid diagram as a picture. Its text is shown until it is drawn, if it cannot be drawn,
 * and on request.
 */
import { Code, Workflow } from "lucide-react"
import { useEffect, useRef, useState, useSyncExternalStore } from "react"
import { w } from "../words/words.js"
import { CodeBlock } from "./CodeBlock.js"
import { CopyButton } from "./CopyButton.js"
import { type Diagram, drawDiagram } from "./diagrams.js"
import { onTheme, themeAt } from "./theme.js"

export const DiagramBlock = ({ code }: { readonly code: string }) => {
  const place = useRef<HTMLDivElement>(null)
  const theme = useSyncExternalStore(onTheme, () => themeAt(place.current), () => "light" as const)
  const [drawn, setDrawn] = useState<Diagram>()
  const [isText, setText] = useState(false)
  useEffect(() => {
    let isOver = false
    void drawDiagram(code, theme).then((diagram) => !isOver && setDrawn(diagram))
    return () => {
      isOver = true
    }
  }, [code, theme])
  const label = isText ? w.showDiagram : w.showSource
  return (
    <div ref={place}>
      {drawn === undefined ?
        <CodeBlock code={code} language="mermaid" whole /> :
        (
          <figure className="code diagram">
            <figcaption>
              <span>mermaid</span>
              <span className="diagram-buttons">
                <button
                  type="button"
                  className="icon-button small"
                  onClick={() => setText(!isText)}
                  aria-label={label}
                  title={label}
                >
                  {isText ? <Workflow size={14} aria-hidden /> : <Code size={14} aria-hidden />}
                </button>
                <CopyButton text={code} />
              </span>
            </figcaption>
            {isText
              ? <pre tabIndex={0}><code>{code}</code></pre>
              : (
                <div className="diagram-box" tabIndex={0} role="group" aria-label={w.diagram}>
                  <img
                    src={drawn.url}
                    width={drawn.width}
                    height={drawn.height}
                    alt={w.diagramOf(code.slice(0, 2000))}
                    // A page that blocks such images shows the text.
                    onError={() => setDrawn(undefined)}
                  />
                </div>
              )}
          </figure>
        )}
    </div>
  )
}
