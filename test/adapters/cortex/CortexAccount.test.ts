import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted, Result } from "effect"
import { Credentials } from "../../../src/adapters/Adapter.js"
import { toAccount, toOrigin } from "../../../src/adapters/cortex/CortexAccount.js"
import { layerCredentials, pat } from "../../support/cortexSession.js"

const hosts = [
  "127.0.0.1:9999",
  "localhost:9999",
  "[::1]:9999",
  "Proxy.Example.com",
  "proxy.example.com:8443"
]
const originOf = (account_url: string) =>
  Result.getOrElse(
    Effect.runSync(Effect.result(toOrigin(account_url, hosts))),
    ({ reason }) => `refused: ${reason}`
  )

const snowflake = "https://myorg-acct.snowflakecomputing.com"

describe("where a token may be sent", () => {
  it.each([
    ["https://myorg-acct.snowflakecomputing.com", snowflake],
    ["https://myorg-acct.snowflakecomputing.com/", snowflake],
    ["https://myorg-acct.snowflakecomputing.com:443/console#/x?y", snowflake],
    ["myorg-acct.snowflakecomputing.com", snowflake],
    ["HTTPS://MYORG-ACCT.SNOWFLAKECOMPUTING.COM", snowflake],
    ["https://myorg-my_acct.snowflakecomputing.com", "https://myorg-my-acct.snowflakecomputing.com"],
    ["https://xy12345.eu-west-1.snowflakecomputing.com", "https://xy12345.eu-west-1.snowflakecomputing.com"],
    ["https://a.privatelink.snowflakecomputing.com", "https://a.privatelink.snowflakecomputing.com"],
    ["https://acct.snowflakecomputing。com", "https://acct.snowflakecomputing.com"],
    ["https://ev\nil.snowflakecomputing.com", "https://evil.snowflakecomputing.com"],
    ["https://proxy.example.com", "https://proxy.example.com"],
    ["https://proxy.example.com:8443/x", "https://proxy.example.com:8443"],
    ["http://127.0.0.1:9999", "http://127.0.0.1:9999"],
    ["http://localhost:9999", "http://localhost:9999"],
    ["http://[::1]:9999", "http://[::1]:9999"]
  ])("%s: there", (account_url, origin) => assert.strictEqual(originOf(account_url), origin))

  it.each([
    ["http://myorg-acct.snowflakecomputing.com", "https"],
    ["ftp://myorg-acct.snowflakecomputing.com", "https"],
    ["file:///etc/passwd", "https"],
    ["javascript://acct.snowflakecomputing.com", "https"],
    ["https://evil.example", "snowflakecomputing.com"],
    ["https://snowflakecomputing.com", "snowflakecomputing.com"],
    ["https://evilsnowflakecomputing.com", "snowflakecomputing.com"],
    ["https://acct.snowflakecomputing.com.evil.example", "snowflakecomputing.com"],
    ["https://acct.snowflakecomputing.com%2eevil.example", "snowflakecomputing.com"],
    ["https://acct.snowflakecomputing.com.", "snowflakecomputing.com"],
    ["https://acct.snowflakecomputing.app", "snowflakecomputing.com"],
    ["https://evil.example/.snowflakecomputing.com", "snowflakecomputing.com"],
    ["https://evil.example\\.snowflakecomputing.com", "snowflakecomputing.com"],
    ["https://evil.example#.snowflakecomputing.com", "snowflakecomputing.com"],
    ["https://evil.example?.snowflakecomputing.com", "snowflakecomputing.com"],
    ["https://169.254.169.254", "snowflakecomputing.com"],
    ["https://127.0.0.1", "snowflakecomputing.com"],
    ["https://acct.snowflakecomputing.com@evil.example", "user name"],
    ["https://x:y@acct.snowflakecomputing.com", "user name"],
    ["https://acct.snowflakecomputing.com:8443", "port"],
    ["https://acct.snowflakecomputing.com:80@evil.example", "user name"],
    ["http://proxy.example.com", "https"],
    ["https://proxy.example.com:9443", "snowflakecomputing.com"],
    ["http://127.0.0.1:9998", "https"],
    ["http://127.0.0.1.evil.example:9999", "https"],
    ["https://", "not a URL"],
    ["https://a b.snowflakecomputing.com", "not a URL"]
  ])("%s: not there", (account_url, why) => {
    const said = originOf(account_url)
    assert.match(said, /^refused: /)
    assert.include(said, why)
  })
})

const encode = (claims: object) => Buffer.from(JSON.stringify(claims)).toString("base64url")
const keyPairJwt = `${encode({ alg: "RS256", typ: "JWT" })}.${
  encode({ iss: "ORG-ACCT.ME.SHA256:abc=" })
}.c2ln`
const patLikeJwt = `${encode({ kid: "1", alg: "ES256" })}.${encode({ p: "1:2", iss: "SF:1049" })}.c2ln`

const account = (options: object) =>
  Effect.flatMap(
    Credentials,
    (credentials) => toAccount({ account_url: snowflake, ...options }, credentials, [])
  )
    .pipe(Effect.provide(layerCredentials))

describe("which token is sent, as what", () => {
  it.effect.each(
    [
      [{}, pat, "PROGRAMMATIC_ACCESS_TOKEN"],
      [{ token_env: "SNOWFLAKE_PAT" }, pat, "PROGRAMMATIC_ACCESS_TOKEN"],
      [{ token: " mine\n" }, "mine", "PROGRAMMATIC_ACCESS_TOKEN"],
      [{ token: "mine", token_env: "AWS_SECRET_ACCESS_KEY" }, "mine", "PROGRAMMATIC_ACCESS_TOKEN"],
      [{ token: patLikeJwt }, patLikeJwt, "PROGRAMMATIC_ACCESS_TOKEN"],
      [{ token: keyPairJwt }, keyPairJwt, "KEYPAIR_JWT"],
      [{ token: keyPairJwt, token_type: "OAUTH" }, keyPairJwt, "OAUTH"]
    ] as const
  )("%j", ([options, token, token_type]) =>
    Effect.gen(function*() {
      const used = yield* account(options)
      assert.strictEqual(Redacted.value(used.token), token)
      assert.strictEqual(used.token_type, token_type)
      assert.notInclude(JSON.stringify(used), token)
    }))

  it.effect.each(
    [
      [{ token_env: "AWS_SECRET_ACCESS_KEY" }, "BadHandshake", "SNOWFLAKE_PAT, TEAM_PAT"],
      [{ token_env: "AI_RELAY_TOKEN" }, "BadHandshake", "--cortex-token-env"],
      [{ token_env: "__proto__" }, "BadHandshake", "token_env"],
      [{ token_env: "TEAM_PAT" }, "AuthRequired", "TEAM_PAT"],
      [{ token: "two words" }, "BadHandshake", "characters"],
      [{ token: "a\r\nx-evil: 1" }, "BadHandshake", "characters"],
      [{ token: "mine", token_type: "A\r\nB" }, "BadHandshake", "token_type"],
      [{ account_url: undefined }, "BadHandshake", "account_url"]
    ] as const
  )("%j is refused", ([options, tag, why]) =>
    Effect.gen(function*() {
      const refused = yield* Effect.flip(account(options))
      assert.strictEqual(refused._tag, tag)
      assert.include(refused.message, why)
      assert.notInclude(refused.message, "not for you")
    }))
})
