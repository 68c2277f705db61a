/** ThemeButton: light, dark, or as the system has it. */
import { Monitor, Moon, Sun } from "lucide-react"
import { useState } from "react"
import { setTheme, type Theme, theme } from "../relay/kept.js"
import { w } from "../words/words.js"

export const applyTheme = (theme: Theme) => {
  if (theme === "system") delete document.documentElement.dataset["theme"]
  else document.documentElement.dataset["theme"] = theme
}

const next = { system: "light", light: "dark", dark: "system" } as const
const icons = { system: Monitor, light: Sun, dark: Moon }

export const ThemeButton = () => {
  const [chosen, setChosen] = useState(theme)
  const Icon = icons[chosen]
  const choose = () => {
    const theme = next[chosen]
    setChosen(theme)
    setTheme(theme)
    applyTheme(theme)
  }
  return (
    <button
      type="button"
      className="icon-button"
      onClick={choose}
      aria-label={w.theme[chosen]}
      title={w.theme[chosen]}
    >
      <Icon size={17} aria-hidden />
    </button>
  )
}
