/** clientOptions: how `attach` and `run` find a relay. */
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

/** The command cannot do what it was asked to; the message says what to do. */
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

/** What only a conversation needs: not loaded where the program serves. */
export const loadConversation = Effect.all({
  Conversation: Effect.promise(() => import("./conversation.js")),
  Driving: Effect.promise(() => import("./driving.js")),
  Keyboard: Effect.promise(() => import("./Keyboard.js"))
})

const isOfThisMachine = (url: string) => URL.canParse(url) && isLoopbackHost(new URL(url).host)

/** The token that the relay of this machine made for itself, where this user may read it. */
const keptToken = (): string | undefined => {
  try {
    const folder = process.env["AI_RELAY_STATE_DIR"] ?? standardStateDir()
    return readFileSync(join(folder, "token"), "utf8").trim() || undefined
  } catch {
    return undefined
  }
}

/** Ask the relay over HTTP; fails when nobody is there. */
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

/** Where the relay is. One on this machine that wants a token is shown its own, if no other was given. */
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

/** Fails at once when nobody is there; the client itself would go on trying. */
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

/** What the relay answers at a path, as this schema has it; a refusal fails with the relay's own words. */
export const answerOf = Effect.fn("answerOf")(
  function*<A, I>(address: Address, path: string, schema: Schema.Codec<A, I>, method = "GET", body?: object) {
    const answer = yield* askRelay(address, path, method, body)
    const text = yield* Effect.promise(() => answer.text().catch(() => ""))
    const decoded = Schema.decodeUnknownOption(Schema.fromJsonString(schema))(text === "" ? "null" : text)
    if (answer.ok && Option.isSome(decoded)) return decoded.value
    const told = Schema.decodeUnknownOption(Schema.fromJsonString(Told))(text)
    return yield* new CommandError({
      reason: answer.status === 401
        ? "the relay wants a token: --token, or AI_RELAY_TOKEN"
        : Option.isSome(told)
        ? told.value.text
        : `${address.url} is no ai-relay: check --url`
    })
  }
)

/** The relay's sessions, live ones first. */
export const listSessions = Effect.fn("listSessions")(function*(address: Address) {
  const answer = yield* askRelay(address, "/sessions")
  const body = yield* Effect.promise(() => answer.json().catch(() => undefined))
  const decoded = Schema.decodeUnknownOption(Sessions)(body)
  if (Option.isSome(decoded)) return decoded.value.sessions
  return yield* new CommandError({
    reason: answer.status === 401
      ? "the relay wants a token: --token, or AI_RELAY_TOKEN"
      : `${address.url} is no ai-relay: check --url`
  })
})

/** The token in a file. */
export const readToken = (file: string) =>
  Effect.try({
    try: () => readFileSync(file, "utf8").trim(),
    catch: () => new CommandError({ reason: `the token file ${file} cannot be read: check --token-file` })
  })

/** Which relay a front on stdin and stdout speaks to. */
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

/** That relay, the token for it, and whether it may be started. Fails when the token's file cannot be read. */
export const relayOf = Effect.fnUntraced(function*({ no_start, token, token_file, url }: FrontGiven) {
  const file = orUndefined(token_file)
  return {
    url: Option.getOrElse(url, () => localRelay),
    token: Option.isSome(token)
      ? Redacted.value(token.value)
      : file === undefined
      ? undefined
      : yield* readToken(file),
    // What was named runs elsewhere, or is somebody's own affair.
    mayStart: Option.isNone(url) && !no_start
  }
})

/** A session's events up to `last_seq`, as the relay streams them; one that is live would go on for ever. */
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
