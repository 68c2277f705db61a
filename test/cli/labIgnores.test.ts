import { assert, describe, it } from "@effect/vitest"
import { Option } from "effect"
import { ignored } from "../../src/cli/labIgnores.js"
import { serveOptions, settings, standardStateDir } from "../../src/cli/options.js"

const none = {
  auth: Option.none(),
  no_auth: false,
  no_state: false,
  state_dir: standardStateDir(),
  tls_cert: Option.none(),
  tls_key: Option.none(),
  token: Option.none(),
  token_file: Option.none()
}

describe("a flag the lab would not act on", () => {
  const given: ReadonlyArray<readonly [string, Readonly<Record<string, unknown>>, RegExp]> = [
    [
      "tls_cert",
      { tls_cert: Option.some("c.pem") },
      /--tls-cert \(AI_RELAY_TLS_CERT\).*a proxy in front of it/
    ],
    ["tls_key", { tls_key: Option.some("k.pem") }, /--tls-key.*a proxy in front of it/],
    ["auth", { auth: Option.some("always") }, /--auth.*LAB_TOKENS_FILE/],
    ["no_auth", { no_auth: true }, /--no-auth.*LAB_TOKENS_FILE/],
    ["token", { token: Option.some("t") }, /--token .*LAB_TOKENS_FILE/],
    ["token_file", { token_file: Option.some("f") }, /--token-file.*LAB_TOKENS_FILE/],
    ["no_state", { no_state: true }, /--no-state.*LAB_WORKSPACE_ROOT/],
    ["state_dir", { state_dir: "/srv" }, /--state-dir.*LAB_WORKSPACE_ROOT/]
  ]
  it.each(given)("is refused, with what to do: %s", (_, flags, said) => {
    assert.isUndefined(ignored(none))
    assert.match(ignored({ ...none, ...flags }) ?? "", said)
  })

  it("is one whose row in the table of settings says so, by the name its value has", () => {
    const refused = settings.filter(({ lab }) => lab !== undefined).map(({ name }) => name)
    assert.sameMembers(refused, given.map(([name]) => name))
    for (const name of refused) assert.property(serveOptions, name)
  })
})
