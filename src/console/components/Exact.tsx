/**
 * Exact: text with all its invisible characters (`hiddenChars.ts`) made visible.
 */
import { w } from "../words/words.js"
import { piecesOf } from "./hiddenChars.js"

export const Exact = ({ text }: { readonly text: string }) =>
  piecesOf(text).map((piece, index) =>
    typeof piece === "string"
      ? piece
      : <mark key={index} className="hidden-char" title={w.hidden(piece.hidden)}>{piece.hidden}</mark>
  )
