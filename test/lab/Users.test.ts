import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Logger, Option, Redacted } from "effect"
import { TestClock } from "effect/testing"
import { exportJWK, generateKeyPair, SignJWT } from "jose"
import { once } from "node:events"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { LabConfig, type LabSettings } from "../../src/lab/LabConfig.js"
import { cookieName, Users } from "../../src/lab/Users.js"
import { settings } from "./settings.js"

const secret = "a secret of more than 32 characters"

const usersOf = (some: Partial<LabSettings>) =>
  Users.layer.pipe(
    Layer.provide(Layer.succeed(LabConfig, settings(some))),
    Layer.provide(Logger.layer([]))
  )

/** Each from an address of its own: nobody has to wait. */
let visitors = 0
const idOf = (token: string | undefined) =>
  Users.pipe(
    Effect.flatMap((users) => users.ofToken({ address: `192.0.2.${++visitors}`, headers: {} }, token)),
    Effect.map(({ user: { id } }) => id),
    Effect.catchTag("UnknownUser", () => Effect.succeed("nobody"))
  )

const visitedBy = (address: string, headers: Record<string, string>) =>
  Effect.flatMap(Users, (users) => users.ofRequest({ address, headers })).pipe(
    Effect.map((admitted) => admitted?.user.id),
    Effect.catchTag("UnknownUser", () => Effect.succeed("nobody"))
  )

const sign = (claims: Record<string, unknown>, key: Parameters<SignJWT["sign"]>[0], alg = "HS256") =>
  Effect.promise(() => new SignJWT(claims).setProtectedHeader({ alg, kid: "1" }).sign(key))

const bytes = (text: string) => new TextEncoder().encode(text)
const inAnHour = () => Math.floor(Date.now() / 1000) + 3600

describe("Users by token file", () => {
  const inFile = <A, E>(text: string, body: (file: string) => Effect.Effect<A, E, Users>) =>
    Effect.acquireUseRelease(
      Effect.sync(() => mkdtempSync(join(tmpdir(), "users-"))),
      (folder) => {
        const file = join(folder, "tokens")
        writeFileSync(file, text)
        return Effect.provide(body(file), usersOf({ tokens_file: Option.some(file) }))
      },
      (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
    )

  it.effect("knows them by token or by its digest, and nobody else", () =>
    inFile(
      "# staff\nada token-1 # since May\nBob Ray token-2\n"
        + "eve sha256:a2f2b0b588bcc84fbf4d2ac8cc086b6f84de3e00fa3c1ba11e38ac078eb03192\nhalf-a-line\n",
      () =>
        Effect.gen(function*() {
          assert.deepStrictEqual(yield* Effect.forEach(["token-1", "token-2", "nothing"], idOf), [
            "ada",
            "Bob Ray",
            "nobody"
          ])
          assert.strictEqual(yield* idOf("token-3"), "eve")
          for (const no of [undefined, "", "ada", "half-a-line", "#"]) {
            assert.strictEqual(yield* idOf(no), "nobody")
          }
        })
    ))

  it.effect("reads the file again when it has changed; one that is gone lets nobody in", () =>
    inFile("ada token-1\n", (file) =>
      Effect.gen(function*() {
        assert.strictEqual(yield* idOf("token-1"), "ada")
        writeFileSync(file, "ada another-token\nbob token-2\n")
        assert.deepStrictEqual(yield* Effect.forEach(["token-1", "token-2"], idOf), ["nobody", "bob"])
        rmSync(file)
        assert.strictEqual(yield* idOf("token-2"), "nobody")
      })))

  it.effect("takes the token of a header or of the login's cookie", () =>
    inFile("ada token-1\n", () =>
      Effect.gen(function*() {
        assert.strictEqual(yield* visitedBy("10.0.0.1", { authorization: "Bearer token-1" }), "ada")
        const users = yield* Users
        const visitor = { address: "10.0.0.1", headers: {} }
        const login = { cookie: `a=b; ai_relay_lab=${yield* users.logIn(visitor, "token-1")}` }
        assert.strictEqual(yield* visitedBy("10.0.0.1", login), "ada")
        yield* users.logOut({ ...visitor, headers: login })
        assert.strictEqual(yield* visitedBy("10.0.0.1", login), undefined)
        assert.strictEqual(yield* visitedBy("10.0.0.1", { cookie: "ai_relay_lab=token-1" }), undefined)
        assert.strictEqual(yield* visitedBy("10.0.0.1", { authorization: "Bearer token-2" }), "nobody")
        assert.strictEqual(yield* visitedBy("10.0.0.1", { cookie: "ai_relay_lab=%" }), undefined)
        assert.strictEqual(yield* visitedBy("10.0.0.1", { "x-user": "ada" }), undefined)
      })))
})

describe("Users by signed token", () => {
  it.effect("takes those the secret has signed, which end, and are for us", () =>
    Effect.gen(function*() {
      const good = { sub: "ada", exp: inAnHour(), iss: "https://id.example.com", aud: "lab" }
      const tokens = yield* Effect.all([
        sign(good, bytes(secret)),
        sign(good, bytes(secret.toUpperCase())),
        sign({ ...good, exp: 1 }, bytes(secret)),
        sign({ sub: "ada", iss: good.iss, aud: good.aud }, bytes(secret)),
        sign({ ...good, aud: "another" }, bytes(secret)),
        sign({ ...good, iss: "https://other.example.com" }, bytes(secret)),
        sign({ ...good, sub: 7 as never }, bytes(secret)),
        sign(good, bytes(secret), "HS512")
      ])
      assert.deepStrictEqual(
        yield* Effect.forEach(tokens, idOf),
        ["ada", ...Array.from({ length: 7 }, () => "nobody")]
      )
      const none = `${btoa("{\"alg\":\"none\"}")}.${btoa(JSON.stringify(good))}.`.replaceAll("=", "")
      assert.strictEqual(yield* idOf(none), "nobody")
    }).pipe(Effect.provide(usersOf({
      jwt_secret: Option.some(Redacted.make(secret)),
      jwt_issuer: Option.some("https://id.example.com"),
      jwt_audience: Option.some("lab")
    }))))

  it.live("takes those of an issuer's published keys, by the claim that is named", () =>
    Effect.gen(function*() {
      const { privateKey, publicKey } = yield* Effect.promise(() => generateKeyPair("ES256"))
      const jwk = yield* Effect.promise(() => exportJWK(publicKey))
      const server = createServer((_, response) => {
        response.setHeader("content-type", "application/json")
        response.end(JSON.stringify({ keys: [{ ...jwk, kid: "1", alg: "ES256" }] }))
      }).listen(0, "127.0.0.1")
      yield* Effect.addFinalizer(() => Effect.sync(() => server.close()))
      yield* Effect.promise(() => once(server, "listening"))
      const { port } = server.address() as AddressInfo
      const known = yield* sign({ email: "ada@example.com", exp: inAnHour() }, privateKey, "ES256")
      // The public key, taken for a shared secret.
      const forged = yield* sign({ email: "eve", exp: inAnHour() }, bytes(JSON.stringify(jwk)))
      const found = yield* Effect.forEach([known, forged], idOf).pipe(Effect.provide(usersOf({
        jwt_jwks: Option.some(new URL(`http://127.0.0.1:${port}/keys`)),
        jwt_claim: "email"
      })))
      assert.deepStrictEqual(found, ["ada@example.com", "nobody"])
    }).pipe(Effect.scoped))
})

describe("Users who send wrong tokens", () => {
  const tries = (token: string, address = "192.0.2.1") =>
    Effect.flatMap(Users, (users) => users.ofToken({ address, headers: {} }, token)).pipe(
      Effect.match({ onFailure: ({ _tag }) => _tag, onSuccess: ({ user: { id } }) => id })
    )
  const times = (n: number, token: string) =>
    Effect.map(Effect.all(Array.from({ length: n }, () => tries(token))), (answers) => answers.at(-1))

  it.effect("have to wait from the fifth on; a right token at the same address never does", () =>
    Effect.gen(function*() {
      const token = yield* sign({ sub: "ada", exp: inAnHour() }, bytes(secret))
      assert.strictEqual(yield* times(5, "guess"), "UnknownUser")
      assert.strictEqual(yield* tries("guess"), "TooManyAttempts")
      assert.strictEqual(yield* tries("guess", "192.0.2.2"), "UnknownUser")
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* times(1, "guess"), "UnknownUser")
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* tries("guess"), "TooManyAttempts")
      assert.strictEqual(yield* tries(token), "ada")
      assert.strictEqual(yield* times(5, "guess"), "UnknownUser")
    }).pipe(Effect.provide(usersOf({ jwt_secret: Option.some(Redacted.make(secret)) }))))

  it.effect("keep nobody out who has logged in there", () =>
    Effect.gen(function*() {
      const { logIn, ofRequest } = yield* Users
      const visitor = { address: "192.0.2.1", headers: {} }
      const cookie = yield* logIn(visitor, yield* sign({ sub: "ada", exp: inAnHour() }, bytes(secret)))
      assert.strictEqual(yield* times(9, "guess"), "TooManyAttempts")
      const admitted = yield* ofRequest({ ...visitor, headers: { cookie: `${cookieName}=${cookie}` } })
      assert.strictEqual(admitted?.user.id, "ada")
    }).pipe(Effect.provide(usersOf({ jwt_secret: Option.some(Redacted.make(secret)) }))))

  it.effect("do not, if the token was good once", () =>
    Effect.gen(function*() {
      const expired = yield* sign({ sub: "ada", exp: 1 }, bytes(secret))
      assert.strictEqual(yield* times(9, expired), "UnknownUser")
    }).pipe(Effect.provide(usersOf({ jwt_secret: Option.some(Redacted.make(secret)) }))))
})

describe("Users by the word of a proxy", () => {
  const trusting = usersOf({
    user_header: Option.some("X-Forwarded-User"),
    trusted_proxies: ["10.0.0.7", "10.1.0.0/16", "fd00::/8"]
  })

  it.effect("believes the proxies that are named", () =>
    Effect.gen(function*() {
      for (const address of ["10.0.0.7", "::ffff:10.0.0.7", "10.1.255.1", "fd00::9"]) {
        assert.strictEqual(yield* visitedBy(address, { "x-forwarded-user": "ada" }), "ada")
      }
      assert.strictEqual(yield* visitedBy("10.0.0.7", {}), undefined)
    }).pipe(Effect.provide(trusting)))

  it.effect("and nobody else", () =>
    Effect.gen(function*() {
      for (const address of ["10.0.0.8", "10.2.0.1", "127.0.0.1", "::1", "2001:db8::1"]) {
        assert.strictEqual(yield* visitedBy(address, { "x-forwarded-user": "ada" }), undefined)
      }
    }).pipe(Effect.provide(trusting)))

  it.effect("refuses to start with a proxy that is no address", () =>
    Effect.gen(function*() {
      for (const bad of ["proxy.example.com", "10.0.0.0/33", "10.0.0.1/x", ""]) {
        const layer = usersOf({ user_header: Option.some("x-user"), trusted_proxies: [bad] })
        const error = yield* Effect.flip(Effect.scoped(Layer.build(layer)))
        assert.strictEqual(error.name, "LAB_TRUSTED_PROXIES")
      }
    }))
})

describe("somebody with a signed token", () => {
  it.effect("stays until it ends", () =>
    Effect.gen(function*() {
      const exp = inAnHour()
      const token = yield* sign({ sub: "ada", exp }, bytes(secret))
      const { ofToken } = yield* Users
      const { ended } = yield* ofToken({ address: "192.0.2.200", headers: {} }, token)
      const waiting = yield* Effect.forkChild(ended)
      yield* TestClock.setTime(exp * 1000)
      assert.isUndefined(waiting.pollUnsafe())
      // Clocks differ.
      yield* TestClock.adjust("5 seconds")
      assert.include(yield* Fiber.join(waiting), "has expired")
    }).pipe(Effect.provide(usersOf({ jwt_secret: Option.some(Redacted.make(secret)) }))))
})
