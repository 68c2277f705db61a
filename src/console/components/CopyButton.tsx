/** CopyButton: copies a text. */
import { Check, Copy } from "lucide-react"
import { useState } from "react"

export const CopyButton = ({ text }: { readonly text: string }) => {
  const [copied, setCopied] = useState(false)
  const copy = () => {
    // Only pages from localhost or over https may.
    navigator.clipboard?.writeText(text).then(() => {
      setCopied(true)
      setTimeout(() => setCopied(false), 1500)
    }, () => {})
  }
  return (
    <button
      type="button"
      className="icon-button small"
      onClick={copy}
      aria-label={copied ? "Copied" : "Copy"}
      title="Copy"
    >
      {copied ? <Check size={14} aria-hidden /> : <Copy size={14} aria-hidden />}
    </button>
  )
}
