/**
 * clock: the relay's time. A device's own clock may be wrong by minutes, and every time a page gets is the
 * relay's.
 */

/** By how much the relay's clock is ahead of this device's, in seconds. */
let ahead = 0

/** The `date` of an answer has whole seconds, and was on its way for a moment. */
const unsure = 3

/** Learns the difference from an answer of the relay. */
export const readClock = ({ headers }: Response) => {
  const date = Date.parse(headers.get("date") ?? "")
  if (Number.isNaN(date)) return
  const difference = (date - Date.now()) / 1000
  ahead = Math.abs(difference) < unsure ? 0 : difference
}

/** Seconds since 1970. */
export const relayNow = () => Date.now() / 1000 + ahead
