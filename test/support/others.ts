/** others: how often others have their turn while a stream is read by somebody who takes some time for each piece of it. */
import { Effect, Stream } from "effect"

const workFor = (ms: number) => {
  const from = performance.now()
  while (performance.now() - from < ms);
}

/** Gives how many pieces there were, and how often others had their turn in between. */
export const readSlowly = <A, E, R>(stream: Stream.Stream<A, E, R>) =>
  Effect.gen(function*() {
    let pieces = 0
    let turns = 0
    let isOver = false
    const others = () => {
      turns += 1
      if (!isOver) setImmediate(others)
    }
    setImmediate(others)
    yield* Stream.runForEach(stream, () =>
      Effect.sync(() => {
        pieces += 1
        workFor(2)
      }))
    isOver = true
    return { pieces, turns }
  })
