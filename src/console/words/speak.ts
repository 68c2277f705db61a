/** speak: chooses the console's language: the one that was set, else the browser's. Another choice loads the page again. */
import { type Language, language } from "../relay/kept.js"
import { en } from "./en.js"
import { setWords, type Words } from "./words.js"

const load = {
  en: () => Promise.resolve(en),
  de: () => import("./de.js").then(({ de }) => de),
  zh: () => import("./zh.js").then(({ zh }) => zh)
} satisfies Record<Language, () => Promise<Words>>

/** In their own words. */
export const languages = { en: "English", de: "Deutsch", zh: "中文" } satisfies Record<Language, string>

export const isLanguage = (name: string): name is Language => Object.hasOwn(load, name)

/** The first that the browser wants and the console has. */
const firstOf = (wanted: ReadonlyArray<string>): Language =>
  wanted.map((name) => name.toLowerCase().split("-")[0] ?? "").find(isLanguage) ?? "en"

export const chosenLanguage = (): Language => language() ?? firstOf(navigator.languages)

export const speak = async (name: Language): Promise<void> => {
  // A language that cannot be loaded is no reason to say nothing.
  setWords(await load[name]().catch(() => en))
  document.documentElement.lang = name
}
