/**
 * CortexAccount: the account requests go to, and the token that authenticates them.
 *
 * The handshake names both, and the token may be the relay's own. So it is sent only to Snowflake (https, a
 * name under snowflakecomputing.com, the standard port) or to a host in the relay's configuration, and only
 * variables on the relay's list are read. Names under snowflakecomputing.app are customers' own programs, not
 * Snowflake.
 */
import { Effect, Option, Redacted, Schema } from "effect"
import type { SnowflakeOptions } from "../../schema/index.js"
import type { Credentials } from "../Adapter.js"
import { AuthRequired, BadHandshake } from "../AdapterError.js"

export interface CortexAccount {
  /** For example `https://myorg-account.snowflakecomputing.com`. */
  readonly origin: string
  readonly token: Redacted.Redacted
  readonly token_type: string
}

const refuse = (reason: string) => new BadHandshake({ reason })

const example = "such as \"https://myorg-account.snowflakecomputing.com\""
const isLoopback = (hostname: string) => /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname)

/**
 * The origin of `account_url`, if a token may be sent there. The checked value is the one used: the parsed
 * URL's origin.
 */
export const toOrigin = (
  account_url: string,
  hosts: ReadonlyArray<string>
): Effect.Effect<string, BadHandshake> => {
  const address = account_url.includes("://") ? account_url : `https://${account_url}`
  if (!URL.canParse(address)) {
    return refuse(`\`snowflake.account_url\` is not a URL: set it to one ${example}`)
  }
  const { host, hostname, password, protocol, username } = new URL(address)
  if (username !== "" || password !== "") {
    return refuse("`snowflake.account_url` must not contain a user name: put the token in `snowflake.token`")
  }
  const configured = hosts.some((allowed) => allowed.toLowerCase() === host)
  if (protocol !== "https:" && !(protocol === "http:" && configured && isLoopback(hostname))) {
    return refuse(`\`snowflake.account_url\` must begin with https://, ${example}`)
  }
  if (configured) return Effect.succeed(`${protocol}//${host}`)
  if (!/^[a-z0-9_.-]+\.snowflakecomputing\.com$/.test(hostname)) {
    return refuse(
      `the host of \`snowflake.account_url\` must be in the domain snowflakecomputing.com, ${example}, `
        + `or the relay must be started with --cortex-host for it`
    )
  }
  if (host !== hostname) {
    return refuse("`snowflake.account_url` must not contain a port: Snowflake uses the standard one")
  }
  // Account names may contain underscores, certificate names may not.
  return Effect.succeed(`https://${hostname.replaceAll("_", "-")}`)
}

const readIssuer = Schema.decodeUnknownOption(Schema.fromJsonString(Schema.Struct({ iss: Schema.String })))

/**
 * PATs are JWTs too; a JWT made from a key pair is recognized by its issuer, which ends with the key's
 * fingerprint.
 */
const isKeyPairJwt = (token: string): boolean => {
  const [, claims = ""] = token.split(".")
  const issuer = readIssuer(Buffer.from(claims, "base64url").toString("utf8"))
  return Option.exists(issuer, ({ iss }) => iss.includes(".SHA256:"))
}

const readToken = Effect.fnUntraced(function*(
  { token, token_env = "SNOWFLAKE_PAT" }: SnowflakeOptions,
  credentials: Credentials["Service"]
) {
  if (token !== undefined) return Redacted.make(token)
  const names = credentials.names("cortex")
  if (!names.includes(token_env)) {
    return yield* refuse(
      `\`snowflake.token_env\` must be one of ${names.join(", ")}; for another variable, `
        + "start the relay with --cortex-token-env"
    )
  }
  return yield* Effect.mapError(
    Effect.flatMap(credentials.get("cortex", token_env), Effect.fromOption),
    () =>
      new AuthRequired({
        tool: "Cortex",
        advice: `Start the relay with ${token_env} set to a programmatic access token of Snowflake, `
          + "or send one as `snowflake.token`."
      })
  )
})

/**
 * The account a handshake may use; fails with the reason if it may not. `hosts` are those of the relay's
 * configuration.
 */
export const toAccount = Effect.fn("CortexAccount.toAccount")(function*(
  snowflake: SnowflakeOptions,
  credentials: Credentials["Service"],
  hosts: ReadonlyArray<string>
) {
  const { account_url, token_type } = snowflake
  if (account_url === undefined) {
    return yield* refuse(`\`snowflake.account_url\` is missing: set it to your account's URL, ${example}`)
  }
  const origin = yield* toOrigin(account_url, hosts)
  const token = Redacted.make(Redacted.value(yield* readToken(snowflake, credentials)).trim())
  // Any other character would end up in a header.
  if (!/^[\x21-\x7e]+$/.test(Redacted.value(token))) {
    return yield* refuse("the Snowflake token contains characters that tokens never have: copy it again")
  }
  if (token_type !== undefined && !/^[A-Za-z_]+$/.test(token_type)) {
    return yield* refuse(
      "`snowflake.token_type` must be PROGRAMMATIC_ACCESS_TOKEN, KEYPAIR_JWT or OAUTH"
    )
  }
  const account: CortexAccount = {
    origin,
    token,
    token_type: token_type ??
      (isKeyPairJwt(Redacted.value(token)) ? "KEYPAIR_JWT" : "PROGRAMMATIC_ACCESS_TOKEN")
  }
  return account
})
