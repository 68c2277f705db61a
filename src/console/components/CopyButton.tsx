/**
 * CopyButton: copies text, also over plain http, where pages have no clipboard API.
 */
import { Check, Copy, X } from "lucide-react"
import { useState } from "react"
import { w } from "../words/words.js"

/** The way before the clipboard API. */
const copyOldWay = (text: string): boolean => {
  const box = document.createElement("textarea")
  box.value = text
  box.style.cssText = "position:fixed;opacity:0"
  // Inside an open dialog nothing else can be focused.
  const place = document.querySelector("dialog[open]") ?? document.body
  const focused = document.activeElement
  place.append(box)
  box.select()
  try {
    return document.execCommand("copy")
  } catch {
    return false
  } finally {
    box.remove()
    if (focused instanceof HTMLElement) focused.focus()
  }
}

export const copyText = async (text: string): Promise<boolean> => {
  try {
    // Only pages from localhost or over https have it.
    if (navigator.clipboard !== undefined) {
      await navigator.clipboard.writeText(text)
      return true
    }
  } catch {
    // Not allowed; the old way may be.
  }
  return copyOldWay(text)
}

export const CopyButton = ({ text }: { readonly text: string }) => {
  const [state, setState] = useState<"copy" | "copied" | "copyFailed">("copy")
  const copy = async () => {
    setState(await copyText(text) ? "copied" : "copyFailed")
    setTimeout(() => setState("copy"), 2500)
  }
  const Icon = { copy: Copy, copied: Check, copyFailed: X }[state]
  return (
    <button
      type="button"
      className="icon-button small"
      onClick={() => void copy()}
      aria-label={w[state]}
      title={w[state]}
    >
      <Icon size={14} aria-hidden />
      {state === "copyFailed" && <span className="copy-failed" role="alert">{w.copyFailed}</span>}
    </button>
  )
}
