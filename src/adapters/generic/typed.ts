/**
 * typed: the keystrokes that enter a prompt.
 */
import { textOf } from "../../schema/index.js"
import type { Prompt } from "../Adapter.js"

/** Enter. A line feed would be another key. */
export const enter = "\r"
const lineEnds = /\r\n|\n/g
const escapes = /[\x1b\x9b]/g

/**
 * The text without the Enter that submits it: a program that handles each key takes an Enter right after a
 * text for part of it. The text is pasted if the program can tell a paste from typing; otherwise each line is
 * entered. Nothing in a pasted text can end the paste.
 */
export const typed = ({ content }: Pick<Prompt, "content">, marksPastes: boolean): string => {
  const lines = textOf(content).replace(lineEnds, enter).replace(/\r$/, "")
  return marksPastes && lines !== "" ? `\x1b[200~${lines.replace(escapes, "")}\x1b[201~` : lines
}
