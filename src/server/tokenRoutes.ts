/** tokenRoutes: links that share a session, and pairing, listing and revoking of named tokens, over HTTP. */
import { Clock, Effect } from "effect"
import { randomBytes } from "node:crypto"
import { Share, shareSeconds } from "../schema/Share.js"
import { Audit } from "../services/access/Audit.js"
import { Auth } from "../services/access/Auth.js"
import { type Limits, Principal } from "../services/access/Principal.js"
import { SessionNotFound } from "../services/journal/Journal.js"
import { Sender } from "../services/session/Sender.js"
import { SessionRegistry } from "../services/session/SessionRegistry.js"
import { addressesOf } from "./addresses.js"
import { type Answer, readBody, Refused, sendJson, sendNothing } from "./Call.js"
import { ServerConfig } from "./ServerConfig.js"

const failed = (
  { _tag, message }: { readonly _tag: "TokenRefused" | "TokensUnusable"; readonly message: string }
) => new Refused({ status: _tag === "TokenRefused" ? 400 : 500, code: "bad_command", reason: message })

const wanted =
  "send JSON with `scopes` (one or more of view, prompt, approve, terminal) and `expires_in` (seconds, "
  + `${shareSeconds.least} to ${shareSeconds.most})`

/** Creates a token of this name with the rights in the body, on behalf of the `Principal`, whose own rights it never outlives. */
const mint = Effect.fnUntraced(
  function*({ expires_in: wished, scopes }: Share, name: string, limits: Limits = {}) {
    const { expires_at: end = Infinity, name: made_by } = yield* Principal
    const { tokens } = yield* Auth
    const expires_in = Math.min(wished, end - (yield* Clock.currentTimeMillis) / 1000)
    const { record, token } = yield* Effect.mapError(
      tokens.make({ name, scopes, expires_in, ...limits, ...(made_by !== undefined && { made_by }) }),
      failed
    )
    const { expires_at, name: given, scopes: granted } = record
    ;(yield* Audit).write("token_created", yield* Sender, {
      name: given,
      scopes: granted,
      expires_at,
      ...limits
    })
    return { token, told: { name: given, token, scopes: granted, expires_at } }
  }
)

/** Answers with a `fragment` to append to the page's address, which makes the link. No server sees a fragment. */
export const shareSession: Answer<"/sessions/{session_id}/share"> = Effect.fnUntraced(
  function*({ params: { session_id }, request, response }) {
    const wish = yield* readBody(request, Share, wanted)
    const there = yield* (yield* SessionRegistry).listing(session_id)
    if (there === undefined) return yield* new SessionNotFound({ session_id })
    const { folder, tool } = there
    // A session of this name that is opened elsewhere is another one.
    const { told, token } = yield* mint(wish, `share-${randomBytes(6).toString("hex")}`, {
      sessions: [there.session_id],
      ...(folder !== "" && { folders: [folder], agents: [tool] })
    })
    yield* sendJson(response, 201, {
      ...told,
      fragment: `#/s/${encodeURIComponent(session_id)}?token=${token}`
    })
  }
)

/** Answers with everything the console needs to pair a device in one request. */
export const pairDevice: Answer = Effect.fnUntraced(function*({ request, response }) {
  const wish = yield* readBody(request, Share, wanted)
  const { told, token } = yield* mint(wish, `device-${randomBytes(4).toString("hex")}`)
  yield* sendJson(response, 201, {
    ...told,
    fragment: `#/?token=${token}&keep`,
    addresses: addressesOf((yield* ServerConfig).host, request.socket)
  })
})

export const listTokens: Answer = Effect.fnUntraced(function*({ response }) {
  const { tokens } = yield* Auth
  const found = yield* Effect.mapError(tokens.list, failed)
  yield* sendJson(response, 200, { tokens: found.map(({ hash: _, ...told }) => told) })
})

export const revokeToken: Answer<"/tokens/{name}"> = Effect.fnUntraced(
  function*({ params: { name }, response }) {
    const { tokens } = yield* Auth
    if (yield* Effect.mapError(tokens.revoke(name), failed)) return yield* sendNothing(response)
    yield* new Refused({
      status: 404,
      reason: `there is no token "${name}": GET /tokens lists them`
    })
  }
)
