/** cleanUp: what a test has opened is closed after it, the last first, whatever became of the test. */
import { afterEach } from "vitest"

/** Call it once at the top of a file; what it gives takes the steps. */
export const cleanUpAfterEach = (patience?: number) => {
  const steps: Array<() => unknown> = []
  afterEach(async () => {
    for (const step of steps.splice(0).toReversed()) await step()
  }, patience)
  return (step: () => unknown): void => void steps.push(step)
}
