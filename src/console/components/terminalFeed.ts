/**
 * terminalFeed: hands a program's output to a terminal no faster than the terminal prints it. A program may
 * print more than any terminal shows, and what came before that is skipped: Ctrl-C is seen at once, and a long
 * session opens soon.
 */

/** Characters handed over at once, and the most that wait; the terminal keeps no more lines than that has. */
const atOnce = 256 * 1024
const most = 4_000_000

interface Piece {
  text: string
  /** It was printed before this page came. */
  readonly isOld: boolean
}

/** What a program has set, such as the alternate screen: it stays in force when the text around it is skipped. */
const modesOf = (text: string): string => {
  const modes = new Map<string, string>()
  for (const [whole] of text.matchAll(/\x1b\[\?[\d;]{1,40}[hl]/g)) {
    modes.delete(whole.slice(0, -1))
    modes.set(whole.slice(0, -1), whole)
  }
  return [...modes.values()].join("")
}

export interface TerminalFeed {
  /** `isOld`: it was printed before this page came. */
  readonly write: (text: string, isOld: boolean) => void
  /** All from before has come; until then nothing is printed, since only its end is worth it. */
  readonly isWhole: () => void
  /** What is printed now was printed before this page came. */
  readonly isOld: () => boolean
}

export const terminalFeed = (print: (text: string, done: () => void) => void): TerminalFeed => {
  const waiting: Array<Piece> = []
  const printing: Array<Piece> = []
  let waits = 0
  let prints = 0
  let isWhole = false

  const skip = () => {
    let skipped = ""
    while (waits > most) {
      const piece = waiting.shift()
      if (piece === undefined) break
      waits -= piece.text.length
      skipped += piece.text
    }
    const first = waiting[0]
    if (skipped === "" || first === undefined) return
    // The rest begins with a line of its own, not within a sequence.
    const from = first.text.indexOf("\n") + 1
    const text = modesOf(skipped + first.text.slice(0, from)) + first.text.slice(from)
    waits += text.length - first.text.length
    first.text = text
  }

  const go = () => {
    if (!isWhole) return
    while (prints < atOnce) {
      const piece = waiting.shift()
      if (piece === undefined) return
      waits -= piece.text.length
      prints += piece.text.length
      printing.push(piece)
      print(piece.text, () => {
        printing.shift()
        prints -= piece.text.length
        go()
      })
    }
  }

  return {
    write: (text, isOld) => {
      const last = waiting.at(-1)
      if (last !== undefined && last.isOld === isOld && last.text.length < atOnce / 4) last.text += text
      else waiting.push({ text, isOld })
      waits += text.length
      // Now and then, not for each piece.
      if (waits > 2 * most) skip()
      go()
    },
    isWhole: () => {
      if (isWhole) return
      isWhole = true
      skip()
      go()
    },
    isOld: () => printing[0]?.isOld === true
  }
}
