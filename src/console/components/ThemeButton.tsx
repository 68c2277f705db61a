/**
 * ThemeButton: light, dark, or the system's theme.
 */
import { Monitor, Moon, Sun } from "lucide-react"
import { useState } from "react"
import { setTheme, type Theme, theme } from "../relay/kept.js"
import { w } from "../words/words.js"
import { IconButton } from "./IconButton.js"

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
    <IconButton label={w.theme[chosen]} onClick={choose}>
      <Icon size={17} aria-hidden />
    </IconButton>
  )
}
