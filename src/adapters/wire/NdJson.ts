/**
 * NdJson: cuts a byte stream into lines.
 *
 * Free of Effect and of decoding, because it runs for every byte an agent prints. The cost stays linear for
 * lines of any length: an unfinished line is kept in chunks and joined once.
 */

/** Longest line kept, in bytes. Longer lines are cut, so that no agent can fill the memory. */
export const maxLineBytes = 256 * 1024 * 1024

const newline = 10
const carriageReturn = 13

const trimmed = (line: Buffer): Buffer =>
  line.length > 0 && line[line.length - 1] === carriageReturn ? line.subarray(0, -1) : line

export class LineSplitter {
  private pieces: Array<Buffer> = []
  private held = 0

  constructor(private readonly onLine: (line: Buffer) => void, private readonly limit = maxLineBytes) {}

  /** Pass on every line that ends in this chunk. Lines are views into the chunk where possible. */
  push(chunk: Buffer): void {
    let start = 0
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, start)) {
      this.finish(chunk.subarray(start, end))
      start = end + 1
    }
    if (start < chunk.length) this.keep(chunk.subarray(start))
  }

  /** Pass on the last line if it lacks its newline. */
  end(): void {
    if (this.held > 0) this.finish(Buffer.alloc(0))
  }

  private finish(last: Buffer): void {
    if (this.held === 0) return this.emit(last)
    this.pieces.push(last)
    const line = Buffer.concat(this.pieces, this.held + last.length)
    this.pieces = []
    this.held = 0
    this.emit(line)
  }

  private emit(line: Buffer): void {
    const text = trimmed(line)
    if (text.length > 0) this.onLine(text)
  }

  private keep(piece: Buffer): void {
    this.pieces.push(piece)
    this.held += piece.length
    if (this.held > this.limit) this.finish(Buffer.alloc(0))
  }
}
