/**
 * warmUp: tells when this process has read from agents so often that what handles their output is worth optimizing.
 *
 * V8's settings, which the command then changes (`cli/start.ts`), are those of the whole process.
 */

/** A day of ten sessions has 1,800 reads; below this, optimizing costs more than it saves. */
const enough = 2500

let reads = 0
let onWarm: () => void = () => {}

export const countRead = (): void => {
  reads += 1
  if (reads === enough) onWarm()
}

/** Calls `listener` then. */
export const whenWarm = (listener: () => void): void => {
  onWarm = listener
}
