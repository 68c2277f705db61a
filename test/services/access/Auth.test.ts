import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { TestClock } from "effect/testing"
import { hostname } from "node:os"
import { Auth, type AuthOptions, type Visitor } from "../../../src/services/access/Auth.js"
import { everything } from "../../../src/services/access/Principal.js"

const visitor = (fields: Partial<Visitor> = {}): Visitor => ({
  address: "127.0.0.1",
  host: "localhost:8765",
  origin: undefined,
  authorization: undefined,
  ...fields
})

const token = Redacted.make("the right token")

/** Why a visitor is turned away; undefined if not. */
const check = (options: AuthOptions, fields: Partial<Visitor>) =>
  Effect.flatMap(Auth, (auth) => auth.checkOrigin(visitor(fields))).pipe(
    Effect.provide(Auth.layer(options)),
    Effect.match({ onSuccess: () => undefined, onFailure: ({ message }) => message })
  )
const admit = (options: AuthOptions, fields: Partial<Visitor>, handshakeToken?: string) =>
  Effect.flatMap(Auth, (auth) => auth.admit(visitor(fields), handshakeToken)).pipe(
    Effect.provide(Auth.layer(options)),
    Effect.match({ onSuccess: () => undefined, onFailure: ({ message }) => message })
  )

describe("the name the relay is called by", () => {
  const known = [
    "localhost",
    "localhost:8765",
    "LOCALHOST:8765",
    "127.0.0.1:8765",
    "192.168.1.7",
    "[::1]:8765",
    "[fe80::1]",
    hostname(),
    `${hostname().toUpperCase()}:80`
  ]
  it.effect.each(known)("is known: %s", (host) =>
    Effect.gen(function*() {
      assert.isUndefined(yield* check({}, { host }))
    }))

  const foreign = [
    "evil.example",
    "evil.example:8765",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "127.0.0.1.nip.io:8765",
    "evil-localhost",
    "",
    "[::1].evil.example",
    "0x7f000001",
    "localhost@evil.example"
  ]
  it.effect.each(foreign)(
    "is how a foreign page reaches a local server: %s",
    (host) =>
      Effect.gen(function*() {
        assert.isString(yield* check({}, { host }))
        // Whatever page it says to be.
        assert.isString(yield* check({ allow_origin: ["*"] }, { host, origin: `http://${host}` }))
      })
  )

  it.effect("has to be told", () =>
    Effect.gen(function*() {
      assert.isString(yield* check({}, { host: undefined }))
    }))

  it.effect("may be one more, if the relay was started with it", () =>
    Effect.gen(function*() {
      const options = { allow_host: ["Relay.Example"] }
      assert.isUndefined(yield* check(options, { host: "relay.example:8765" }))
      assert.isUndefined(yield* check(options, { host: "relay.example", origin: "https://relay.example" }))
      assert.isString(yield* check(options, { host: "a.relay.example" }))
      assert.include(yield* check({}, { host: "relay.example" }), "--allow-host relay.example")
    }))
})

describe("the page a browser comes from", () => {
  it.effect("may be the relay's own, by either scheme", () =>
    Effect.gen(function*() {
      assert.isUndefined(yield* check({}, { origin: "http://localhost:8765" }))
      assert.isUndefined(yield* check({}, { origin: "https://localhost:8765" }))
    }))

  it.effect("may be none: it is no browser then", () =>
    Effect.gen(function*() {
      assert.isUndefined(yield* check({}, {}))
    }))

  const foreign = [
    "http://localhost:3000",
    "http://localhost",
    "http://127.0.0.1:8765",
    "https://evil.example",
    "http://localhost:8765.evil.example",
    "null",
    "",
    "file://"
  ]
  it.effect.each(foreign)("may not be another: %s", (origin) =>
    Effect.gen(function*() {
      assert.isString(yield* check({}, { origin }))
      assert.isString(yield* check({ token }, { origin, authorization: "Bearer the right token" }))
    }))

  it.effect("may be one the relay was started with, or any", () =>
    Effect.gen(function*() {
      const origin = "https://app.example"
      assert.isUndefined(yield* check({ allow_origin: [origin] }, { origin }))
      assert.isUndefined(yield* check({ allow_origin: ["*"] }, { origin }))
      assert.isString(yield* check({ allow_origin: ["https://app.example:444"] }, { origin }))
      assert.include(yield* check({}, { origin }), `--allow-origin ${origin}`)
    }))
})

describe("a visitor from this machine", () => {
  const addresses = ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"]

  it.effect.each(addresses)("needs no token: %s", (address) =>
    Effect.gen(function*() {
      assert.isUndefined(yield* admit({}, { address }))
      assert.isUndefined(yield* admit({ token, auth: "remote" }, { address }))
    }))

  const names = ["localhost", "LOCALHOST:8765", "127.0.0.1:80", "127.1.2.3", "[::1]", "[::1]:8765"]
  it.effect.each(names)("is one that calls it %s", (host) =>
    Effect.gen(function*() {
      assert.isUndefined(yield* admit({}, { host }))
    }))

  const others = [
    "relay.example.com",
    "192.168.1.7:8765",
    "localhost.example.com",
    "127.0.0.1.example.com",
    "::1",
    undefined
  ]
  it.effect.each(others)(
    "is none that calls it %s, as what comes through a tunnel does",
    (host) =>
      Effect.gen(function*() {
        assert.include(yield* admit({ token, auth: "remote" }, { host }), "access token")
        assert.isUndefined(yield* admit({ token, auth: "remote" }, { host }, "the right token"))
      })
  )

  it.effect("needs the token as soon as there is one, or others were given a way to the relay", () =>
    Effect.gen(function*() {
      assert.include(yield* admit({ token }, {}), "access token")
      assert.include(yield* admit({ allow_host: ["relay.example"] }, {}), "--token")
      assert.include(yield* admit({ trusted_proxy: ["127.0.0.1"] }, {}), "--token")
      assert.isUndefined(yield* admit({ token, allow_host: ["relay.example"], auth: "remote" }, {}))
    }))

  it.effect("who gives one must give the right one", () =>
    Effect.gen(function*() {
      assert.isUndefined(yield* admit({ token }, {}, "the right token"))
      assert.isString(yield* admit({ token }, {}, "a wrong token"))
      assert.isString(yield* admit({ token }, { authorization: "Bearer wrong" }))
    }))

  it.effect("may give any where none is asked for", () =>
    Effect.gen(function*() {
      assert.isUndefined(yield* admit({}, {}, "whatever"))
    }))
})

describe("a visitor from another machine", () => {
  const addresses = [
    "192.168.1.7",
    "10.0.0.1",
    "8.8.8.8",
    "::ffff:192.168.1.7",
    "fe80::1",
    "::",
    "::10",
    "1127.0.0.1",
    undefined
  ]
  const simple = Redacted.make("t0ken")

  it.effect.each(addresses)(
    "needs the token, in the header or the handshake: %s",
    (address) =>
      Effect.gen(function*() {
        assert.isString(yield* admit({ token: simple }, { address }))
        assert.isUndefined(yield* admit({ token: simple }, { address }, "t0ken"))
        assert.isUndefined(yield* admit({ token: simple }, { address, authorization: "Bearer t0ken" }))
        assert.isUndefined(yield* admit({ token: simple }, { address, authorization: "bearer  t0ken" }))
      })
  )

  it.effect("is refused with any other token", () =>
    Effect.gen(function*() {
      const address = "192.168.1.7"
      for (const wrong of ["", "t0ke", "t0ken ", "T0KEN", "t0kent0ken", "[object Object]", "<redacted>"]) {
        assert.isString(yield* admit({ token: simple }, { address }, wrong))
        assert.isString(yield* admit({ token: simple }, { address, authorization: `Bearer x${wrong}` }))
      }
      assert.isString(yield* admit({ token: simple }, { address, authorization: "Basic t0ken" }))
      assert.isString(yield* admit({ token: simple }, { address, authorization: "t0ken" }))
    }))

  it.effect("with a wrong header is not saved by the handshake", () =>
    Effect.gen(function*() {
      const fields = { address: "192.168.1.7", authorization: "Bearer wrong" }
      assert.isString(yield* admit({ token: simple }, fields, "t0ken"))
    }))

  it.effect("never gets in where no token is configured, and is told what to do", () =>
    Effect.gen(function*() {
      for (const given of [undefined, "", "undefined"]) {
        assert.include(yield* admit({}, { address: "192.168.1.7" }, given), "--token")
      }
    }))
})

describe("a visitor whom a proxy on this machine announces", () => {
  it.effect("needs the token as any other", () =>
    Effect.gen(function*() {
      const fields = { address: "127.0.0.1", forwarded: true }
      assert.isString(yield* admit({ token }, fields))
      assert.isString(yield* admit({}, fields))
      assert.isUndefined(yield* admit({ token }, fields, "the right token"))
    }))
})

describe("who needs a token", () => {
  it.effect("is everybody, if the relay was started so; without one nobody gets in", () =>
    Effect.gen(function*() {
      assert.include(yield* admit({ token, auth: "always" }, {}), "access token")
      assert.isUndefined(yield* admit({ token, auth: "always" }, {}, "the right token"))
      assert.isString(yield* admit({ auth: "always" }, {}))
    }))

  it.effect("is nobody, if the relay was started so", () =>
    Effect.gen(function*() {
      for (const address of ["127.0.0.1", "8.8.8.8", undefined]) {
        assert.isUndefined(yield* admit({ token, auth: "never" }, { address }, "wrong"))
      }
      assert.isString(yield* check({ token, auth: "never" }, { origin: "https://evil.example" }))
    }))
})

describe("tickets and mistakes", () => {
  const options: AuthOptions = { token, auth: "always" }
  /** One relay for several visits. */
  const visits = <A, E>(body: (auth: Auth["Service"]) => Effect.Effect<A, E>) =>
    Effect.flatMap(Auth, body).pipe(Effect.provide(Auth.layer(options)))
  const tagOf = (admitted: Effect.Effect<void, { readonly _tag: string }>) =>
    Effect.match(admitted, { onSuccess: () => "admitted", onFailure: ({ _tag }) => _tag })

  it.effect("a ticket stands for the token once, and not for long", () =>
    visits((auth) =>
      Effect.gen(function*() {
        const [one, late] = [yield* auth.ticket(everything), yield* auth.ticket(everything)]
        assert.strictEqual(one.expires_in, 30)
        assert.strictEqual(yield* tagOf(auth.admit(visitor(), undefined, one.ticket)), "admitted")
        assert.strictEqual(yield* tagOf(auth.admit(visitor(), undefined, one.ticket)), "Unauthorized")
        yield* TestClock.adjust("30 seconds")
        assert.strictEqual(yield* tagOf(auth.admit(visitor(), undefined, late.ticket)), "Unauthorized")
      })
    ))

  it.effect("a wrong token is not saved by a ticket, and leaves the ticket as it was", () =>
    visits((auth) =>
      Effect.gen(function*() {
        const { ticket } = yield* auth.ticket(everything)
        assert.strictEqual(yield* tagOf(auth.admit(visitor(), "wrong", ticket)), "Unauthorized")
        assert.strictEqual(yield* tagOf(auth.admit(visitor(), undefined, ticket)), "admitted")
      })
    ))

  it.effect("five mistakes make the next mistake wait; the right token never does, and makes up for all", () =>
    visits((auth) =>
      Effect.gen(function*() {
        const attempt = (given: string) => tagOf(auth.admit(visitor({ address: "8.8.8.8" }), given))
        for (let n = 0; n < 5; n++) assert.strictEqual(yield* attempt("wrong"), "Unauthorized")
        assert.strictEqual(yield* attempt("wrong"), "TooManyAttempts")
        yield* TestClock.adjust("1 second")
        assert.strictEqual(yield* attempt("wrong"), "Unauthorized")
        assert.strictEqual(yield* attempt("wrong"), "TooManyAttempts")
        assert.strictEqual(yield* attempt("the right token"), "admitted")
        assert.strictEqual(yield* attempt("wrong"), "Unauthorized")
        assert.strictEqual(yield* attempt("the right token"), "admitted")
      })
    ))

  it.effect("a ticket that was used is no attempt to guess", () =>
    visits((auth) =>
      Effect.gen(function*() {
        for (let n = 0; n < 9; n++) {
          assert.strictEqual(yield* tagOf(auth.admit(visitor(), undefined, "used")), "Unauthorized")
        }
        assert.strictEqual(yield* tagOf(auth.admit(visitor(), "wrong")), "Unauthorized")
      })
    ))

  it.effect("to send none is no mistake", () =>
    visits((auth) =>
      Effect.gen(function*() {
        for (let n = 0; n < 9; n++) yield* tagOf(auth.admit(visitor(), undefined))
        assert.strictEqual(yield* tagOf(auth.admit(visitor(), "the right token")), "admitted")
      })
    ))
})
