/** clientOptions: flags and helpers of commands that talk to a running relay: finding it, its token, its answers. */
import { Config, Effect, Option, Redacted, Schema } from "effect"
import { Flag } from "effect/cli"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import type { RelayEvent } from "../client/browser.js"
import { isLoopbackHost } from "../services/access/peers.js"
import { orUndefined, standardStateDir } from "./options.js"

export const localRelay = "ws://127.0.0.1:8765"

export const clientOptions = {
  url: Flag.String("url").pipe(Flag.withFallbackConfig(Config.NonEmptyString("url")), Flag.optional),
  token: Flag.Redacted("token").pipe(
    Flag.withFallbackConfig(Config.Redacted("token")),
    Flag.optional
  ),
  json: Flag.Boolean("json").pipe(Flag.withoutNegation, Flag.withDefault(false)),
  // Read before all others, by configFile.ts.
  config: Flag.String("config").pipe(Flag.optional)
}

/** A command failed; its message says why and what to do. */
export class CommandError
  extends Schema.TaggedError<CommandError>()("CommandError", { reason: Schema.String })
{
  override get message() {
    return this.reason
  }
}

export interface Address {
  readonly url: string
  readonly token?: string
}

/** Code that only conversations need; the server never loads it. */
export const loadConversation = Effect.all({
  Conversation: Effect.promise(() => import("./conversation.js")),
  Driving: Effect.promise(() => import("./driving.js")),
  Keyboard: Effect.promise(() => import("./Keyboard.js"))
})

const isOfThisMachine = (url: string) => URL.canParse(url) && isLoopbackHost(new URL(url).host)

/** The token that this machine's relay generated, if this user can read it. */
const keptToken = (): string | undefined => {
  try {
    const folder = process.env["AI_RELAY_STATE_DIR"] ?? standardStateDir()
    return readFileSync(join(folder, "token"), "utf8").trim() || undefined
  } catch {
    return undefined
  }
}

/** Sends an HTTP request to the relay; fails with a CommandError if nothing answers. */
export const askRelay = (address: Address, path: string, method = "GET", body?: object) =>
  Effect.tryPromise({
    try: (signal) =>
      fetch(new URL(path, address.url.replace(/^ws/, "http")), {
        method,
        signal,
        headers: {
          ...(address.token !== undefined && { authorization: `Bearer ${address.token}` }),
          ...(body !== undefined && { "content-type": "application/json" })
        },
        ...(body !== undefined && { body: JSON.stringify(body) })
      }),
    catch: () =>
      new CommandError({
        reason: address.url === localRelay
          ? `no relay answers at ${localRelay}: start one with \`ai-relay\` in another terminal, or name another with --url`
          : `no relay answers at ${address.url}: check --url, and that the relay runs there`
      })
  })

/** The relay's address and token. For a relay on this machine the token defaults to the one it generated. */
export const toAddress = Effect.fn("toAddress")(function*(given: {
  readonly url: Option.Option<string>
  readonly token: Option.Option<Redacted.Redacted>
}) {
  const url = orUndefined(given.url) ?? localRelay
  if (!/^(wss?|https?):\/\//i.test(url)) {
    return yield* new CommandError({
      reason: `--url ${url} has no scheme: write ws://${url}, or wss://${url} with TLS`
    })
  }
  const token = Option.map(given.token, Redacted.value)
  const chosen: Address = { url, ...(Option.isSome(token) && { token: token.value }) }
  if (Option.isSome(token) || !isOfThisMachine(url)) return chosen
  const { body, status } = yield* askRelay({ url }, "/whoami")
  yield* Effect.promise(async () => body?.cancel())
  const kept = status === 401 ? keptToken() : undefined
  const address: Address = { url, ...(kept !== undefined && { token: kept }) }
  return address
})

/** Fails at once if no relay answers, where the client itself would keep retrying. */
export const checkRelay = (address: Address) =>
  Effect.flatMap(askRelay(address, "/healthz"), ({ body }) => Effect.promise(async () => body?.cancel()))

const Sessions = Schema.Struct({
  sessions: Schema.Array(
    Schema.Struct({
      session_id: Schema.String,
      state: Schema.String,
      tool: Schema.String,
      last_seq: Schema.Number
    })
  )
})

const Told = Schema.Struct({ text: Schema.String })

/** Gets a path from the relay and decodes the answer. If the relay refuses, fails with its reason. */
export const answerOf = Effect.fn("answerOf")(
  function*<A, I>(address: Address, path: string, schema: Schema.Codec<A, I>, method = "GET", body?: object) {
    const answer = yield* askRelay(address, path, method, body)
    const text = yield* Effect.promise(() => answer.text().catch(() => ""))
    const decoded = Schema.decodeUnknownOption(Schema.fromJsonString(schema))(text === "" ? "null" : text)
    if (answer.ok && Option.isSome(decoded)) return decoded.value
    const told = Schema.decodeUnknownOption(Schema.fromJsonString(Told))(text)
    return yield* new CommandError({
      reason: answer.status === 401
        ? "the relay requires a token: set --token or AI_RELAY_TOKEN"
        : Option.isSome(told)
        ? told.value.text
        : `${address.url} is no ai-relay: check --url`
    })
  }
)

/** All sessions of the relay, live ones first. */
export const listSessions = Effect.fn("listSessions")(function*(address: Address) {
  const answer = yield* askRelay(address, "/sessions")
  const body = yield* Effect.promise(() => answer.json().catch(() => undefined))
  const decoded = Schema.decodeUnknownOption(Sessions)(body)
  if (Option.isSome(decoded)) return decoded.value.sessions
  return yield* new CommandError({
    reason: answer.status === 401
      ? "the relay requires a token: set --token or AI_RELAY_TOKEN"
      : `${address.url} is no ai-relay: check --url`
  })
})

/** Reads the access token in a file; fails with a CommandError if that is not possible. */
export const readToken = (file: string) =>
  Effect.try({
    try: () => readFileSync(file, "utf8").trim(),
    catch: () => new CommandError({ reason: `the token file ${file} cannot be read: check --token-file` })
  })

/** Flags that choose the relay of `acp` and `mcp`. */
export const frontOptions = {
  url: clientOptions.url,
  token: clientOptions.token,
  token_file: Flag.String("token-file").pipe(
    Flag.withFallbackConfig(Config.NonEmptyString("token_file")),
    Flag.optional
  ),
  no_start: Flag.Boolean("no-start").pipe(Flag.withoutNegation, Flag.withDefault(false)),
  config: clientOptions.config
}

interface FrontGiven {
  readonly url: Option.Option<string>
  readonly token: Option.Option<Redacted.Redacted<string>>
  readonly token_file: Option.Option<string>
  readonly no_start: boolean
}

/** The relay to use, its token, and whether it may be started. Fails if the token's file cannot be read. */
export const relayOf = Effect.fnUntraced(function*({ no_start, token, token_file, url }: FrontGiven) {
  const file = orUndefined(token_file)
  return {
    url: Option.getOrElse(url, () => localRelay),
    token: Option.isSome(token)
      ? Redacted.value(token.value)
      : file === undefined
      ? undefined
      : yield* readToken(file),
    // A relay that was named is not ours to start.
    mayStart: Option.isNone(url) && !no_start
  }
})

/** Streams a session's events up to `last_seq`; without that bound a live session would never end. */
export const sentEvents = Effect.fn("sentEvents")(
  function*(address: Address, path: string, last_seq: number) {
    const answer = yield* askRelay(address, path)
    return yield* Effect.promise(async () => {
      const events: Array<RelayEvent> = []
      if (!answer.ok || answer.body === null || last_seq === 0) return events
      let rest = ""
      for await (const part of answer.body.pipeThrough(new TextDecoderStream())) {
        const frames = (rest + part).split("\n\n")
        rest = frames.pop() ?? ""
        for (const frame of frames) {
          const json = /^data: (.*)$/m.exec(frame)?.[1]
          // What a relay sends is an event.
          if (json !== undefined) events.push(JSON.parse(json) as RelayEvent)
        }
        if ((events.at(-1)?.seq ?? 0) >= last_seq) break
      }
      return events
    })
  }
)
