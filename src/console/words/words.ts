/** words: what the console says, in the language that was chosen before anything was drawn (`speak.ts`). */
import { en } from "./en.js"

export type Words = typeof en

/** What the page says now. */
export const w: Words = { ...en }

export const setWords = (words: Words) => Object.assign(w, words)
