/** problem: why something failed, in the page's language as far as it has words for the error's code. */
import { messageOf } from "../../schema/messageOf.js"
import { w } from "../words/words.js"

/** What a message of the relay says, whose `text` is English; `code`: that of an error. */
export const explain = (code: string | undefined, text: string): string => {
  const said = text.replace(/^\p{Ll}/u, (letter) => letter.toUpperCase())
  return code === undefined ? said : w.error(code, said)
}

/** Why a request or command failed. A browser that cannot reach the relay throws a TypeError. */
export const problemOf = (error: unknown): string =>
  error instanceof TypeError
    ? w.unreachable
    : explain(
      error instanceof Error && "code" in error ? String(error.code) : undefined,
      messageOf(error).replaceAll("`", "")
    )
