/** testSink: an EventSink that remembers what it was told, and can have enough of it. */
import type { EventSink } from "../../src/adapters/Adapter.js"
import type { EventBody } from "../../src/schema/index.js"

export interface TestSink {
  readonly service: EventSink["Service"]
  readonly events: ReadonlyArray<EventBody>
  readonly batches: () => number
  /** From now on every batch is answered with "enough". */
  readonly block: () => void
  /** Let those go on who wait. */
  readonly drain: () => void
}

export const make = (): TestSink => {
  const events: Array<EventBody> = []
  let batches = 0
  let isBlocked = false
  let waiting: Array<() => void> = []

  return {
    service: {
      emit: (event) => void events.push(event),
      splice: (event, text) => void events.push({ ...event, text: JSON.parse(text.toString()) }),
      batch: (write) => {
        batches += 1
        write()
        return !isBlocked
      },
      onceDrained: (resume) => void waiting.push(resume),
      inTurn: () => false
    },
    events,
    batches: () => batches,
    block: () => {
      isBlocked = true
    },
    drain: () => {
      isBlocked = false
      const resumed = waiting
      waiting = []
      resumed.forEach((resume) => resume())
    }
  }
}
