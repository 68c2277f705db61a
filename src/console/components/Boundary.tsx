/**
 * Boundary: shows content that fails to render as text, and keeps everything around it.
 */
import { Component, type ReactNode } from "react"
import { w } from "../words/words.js"
import { LongText } from "./LongText.js"

interface Props {
  /** The text to show if rendering fails. */
  readonly text: () => string
  readonly children: ReactNode
}

const textOf = (give: () => string): string => {
  try {
    return give()
  } catch {
    return ""
  }
}

/** Tries again once the content has changed. */
export class Boundary extends Component<Props, { readonly failed: ReactNode }> {
  override state: { readonly failed: ReactNode } = { failed: undefined }

  static getDerivedStateFromError = () => ({ failed: true })

  override componentDidUpdate({ children }: Props) {
    if (this.state.failed !== undefined && children !== this.props.children) {
      this.setState({ failed: undefined })
    }
  }

  override render() {
    if (this.state.failed === undefined) return this.props.children
    return (
      <div className="undrawn">
        <p className="muted">{w.couldNotDraw}</p>
        <pre tabIndex={0}><LongText text={textOf(this.props.text)} exact /></pre>
      </div>
    )
  }
}

/** Around everything, as a last resort. */
export class PageBoundary extends Component<{ readonly children: ReactNode }, { readonly failed: boolean }> {
  override state = { failed: false }

  static getDerivedStateFromError = () => ({ failed: true })

  override render() {
    if (!this.state.failed) return this.props.children
    return (
      <main className="page start">
        <div className="start-form">
          <h1>{w.pageFailed}</h1>
          <p className="lead">{w.pageFailedHelp}</p>
          <button type="button" className="button primary large" onClick={() => location.reload()}>
            {w.reload}
          </button>
        </div>
      </main>
    )
  }
}
