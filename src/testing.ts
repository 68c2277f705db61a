/**
 * ai-relay/testing: sessions in tests, without an agent, a network or time that passes.
 *
 * Everything that waits waits on Effect's Clock and every name is counted, so under TestClock a session gives the same
 * events, to the byte, each time it is played. Nothing is kept on disk unless `state_dir` says so.
 */
import { Effect, Layer, Stream } from "effect"
import { basename, dirname, resolve } from "node:path"
import { apart, given, type SessionsError, type SessionsOptions } from "./embed.js"
import { layerSessionsTest } from "./Relay.js"
import type { RelayEvent } from "./schema/index.js"
import type { Settings } from "./services/RelayConfig.js"
import type { Session } from "./services/session/Session.js"
import { SessionRegistry } from "./services/session/SessionRegistry.js"

/** `Relay.layerSessions` with names that are counted: provides `SessionRegistry`. */
export const layerSessions = (options: SessionsOptions = {}): Layer.Layer<SessionRegistry, SessionsError> =>
  apart(layerSessionsTest(given<Settings>(options)))

export interface ReplayOptions extends SessionsOptions {
  /** Each turn waits for a prompt, instead of playing by itself. */
  readonly on_prompt?: boolean | undefined
}

/**
 * A session whose agent is a transcript, as `ai-relay serve --record DIR` writes them, for as long as the scope lives.
 *
 * It plays at the recorded pace: `TestClock.adjust` moves it on. A permission waits for an answer by `session.submit` or
 * for its deadline (`permission_timeout`, seconds). Fails with `BadHandshake` when the file is no transcript, and with
 * `FolderNotFound` or `ForbiddenFolder` when its folder is not there or not among `roots` (default: that folder).
 */
export const replay = Effect.fn("testing.replay")(
  function*(file: string, { on_prompt = false, ...settings }: ReplayOptions = {}) {
    const folder = dirname(resolve(file))
    const sessions = yield* Layer.build(layerSessions({ ...settings, roots: settings.roots ?? [folder] }))
    const { session } = yield* Effect.provide(
      Effect.flatMap(SessionRegistry, (registry) =>
        registry.join({
          tool: "replay",
          folder,
          command: [basename(file), ...(on_prompt ? ["--on-prompt"] : [])]
        })),
      sessions
    )
    return session
  }
)

/** The first event of that type after `after_seq`, as soon as it is logged; none if the session ends without it. */
export const firstOf = <Type extends RelayEvent["type"]>(session: Session, type: Type, after_seq = 0) =>
  session.log.tail(after_seq).pipe(
    Stream.filter((event): event is Extract<RelayEvent, { readonly type: Type }> => event.type === type),
    Stream.runHead
  )
