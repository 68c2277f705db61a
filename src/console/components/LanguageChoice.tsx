/**
 * LanguageChoice: switches the console's language by reloading the page.
 */
import { Languages } from "lucide-react"
import { setLanguage } from "../relay/kept.js"
import { chosenLanguage, isLanguage, languages } from "../words/speak.js"
import { w } from "../words/words.js"

export const LanguageChoice = () => (
  <label className="language">
    <Languages size={14} aria-hidden />
    <span className="visually-hidden">{w.language}</span>
    <select
      value={chosenLanguage()}
      onChange={({ target }) => {
        if (!isLanguage(target.value)) return
        setLanguage(target.value)
        location.reload()
      }}
    >
      {Object.entries(languages).map(([name, words]) => <option key={name} value={name}>{words}</option>)}
    </select>
  </label>
)
