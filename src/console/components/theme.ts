/** theme: light or dark, as chosen for a page or a chat, otherwise as the system has it. */
export type Theme = "light" | "dark"

const dark = "(prefers-color-scheme: dark)"
/** Calls when a theme may have changed. Gives what stops it. */
export const onTheme = (call: () => void) => {
  const query = matchMedia(dark)
  query.addEventListener("change", call)
  // A page or a chat may set its own theme.
  const observer = new MutationObserver(call)
  observer.observe(document, { subtree: true, attributes: true, attributeFilter: ["data-theme"] })
  return () => {
    query.removeEventListener("change", call)
    observer.disconnect()
  }
}

/** The theme at an element; without one, that of the page. */
export const themeAt = (element: Element | null): Theme => {
  const chosen = (element ?? document.documentElement)
    .closest("[data-theme]:not([data-theme=system])")?.getAttribute("data-theme")
  return chosen === "dark" || (chosen !== "light" && matchMedia(dark).matches) ? "dark" : "light"
}
