/**
 * awaitReady: waits until a started relay answers.
 */
import { Duration, Effect, Schedule } from "effect"
import { get } from "node:http"
import { type Address, RelayUnavailable } from "./UserRelays.js"

export interface Patience {
  /** Longest pause between two probes, in seconds. */
  readonly startup_delay: number
  /** Total limit, in seconds. */
  readonly ws_timeout: number
}

const firstPause = "25 millis"
const probeTime = "2 seconds"

/** One probe. An answer of any kind means that the relay is listening. */
const probe = ({ host, port }: Address) =>
  Effect.callback<void, Error>((resume) => {
    const request = get({ host, port, path: "/healthz", agent: false }, (response) => {
      response.resume()
      resume(Effect.void)
    })
    request.on("error", (cause) => resume(Effect.fail(cause)))
    return Effect.sync(() => request.destroy())
  }).pipe(Effect.timeout(probeTime))

/** Probe, first often, then at most every `startup_delay`, until it answers. */
export const awaitReady = (address: Address, { startup_delay, ws_timeout }: Patience) =>
  probe(address).pipe(
    Effect.retry(
      Schedule.exponential(firstPause, 1.5).pipe(
        Schedule.modifyDelay(({ duration }) =>
          Effect.succeed(Duration.min(duration, Duration.seconds(startup_delay)))
        )
      )
    ),
    Effect.timeoutOrElse({
      duration: Duration.seconds(ws_timeout),
      orElse: () =>
        Effect.fail(new RelayUnavailable({ reason: `the relay did not answer within ${ws_timeout} s` }))
    }),
    Effect.catch((error) =>
      Effect.fail(error instanceof RelayUnavailable ? error : new RelayUnavailable({ reason: error.message }))
    )
  )
