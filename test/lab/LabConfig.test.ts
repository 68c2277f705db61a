import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Option, Redacted } from "effect"
import { readFileSync } from "node:fs"
import { ignoredVariable, read, warningsOf } from "../../src/lab/LabConfig.js"
import { labSettings } from "../../src/lab/labVariables.js"
import { settings } from "./settings.js"

const readFrom = (variables: Record<string, string>) =>
  Effect.provideService(read, ConfigProvider.ConfigProvider, ConfigProvider.fromEnv({ env: variables }))

const tokens = { LAB_TOKENS_FILE: "/etc/tokens" }

describe("LabConfig", () => {
  it.effect("has the documented defaults", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(
        yield* readFrom(tokens),
        settings({ mode: "single", tokens_file: Option.some("/etc/tokens"), secret_files: ["/etc/tokens"] })
      )
    }))

  it.effect("takes the keys of signed tokens over https:// alone, but for this machine's own", () =>
    Effect.gen(function*() {
      for (const address of ["https://id.example.com/jwks", "http://localhost:8080/jwks"]) {
        yield* readFrom({ LAB_JWT_JWKS: address })
      }
      const error = yield* Effect.flip(readFrom({ LAB_JWT_JWKS: "http://id.example.com/jwks" }))
      assert.match(error.message, /^LAB_JWT_JWKS must begin with https:/)
    }))

  it.effect.each(["host", "none", "container:relay"])(
    "refuses %s as the users' network",
    (network) =>
      Effect.map(
        Effect.flip(readFrom({ ...tokens, LAB_MODE: "multi", LAB_NETWORK: network })),
        ({ message }) =>
          assert.match(message, /^LAB_NETWORK cannot be .* Name a network that the lab may create$/)
      )
  )

  it.effect("reads every setting", () =>
    Effect.gen(function*() {
      const found = yield* readFrom({
        ...tokens,
        LAB_MODE: "multi",
        LAB_ENGINE: "swarm",
        LAB_WORKSPACE_ROOT: "/srv/lab",
        LAB_IMAGE: "mine:1",
        LAB_NETWORK: "net",
        LAB_CONTAINER_PORT: "9100",
        LAB_CONTAINER_USER: "1000:1000",
        LAB_CONTAINER_STARTUP_DELAY: "0.5",
        LAB_CONTAINER_WS_TIMEOUT: "30",
        LAB_IDLE_TIMEOUT_SECS: "60",
        LAB_CONTAINER_MEMORY: "512m",
        LAB_CONTAINER_CPUS: "0.5",
        LAB_CONTAINER_PIDS: "100",
        LAB_CONTAINER_ENV: "KEY,OTHER",
        KEY: "k",
        OTHER: "o",
        LAB_JWT_CLAIM: "email",
        LAB_USER_HEADER: "x-user",
        LAB_TRUSTED_PROXIES: "10.0.0.1, 10.0.1.0/24"
      })
      assert.deepStrictEqual(
        found,
        settings({
          engine: "swarm",
          workspace_root: "/srv/lab",
          image: "mine:1",
          secret_files: ["/etc/tokens"],
          network: "net",
          container_port: 9100,
          container_user: "1000:1000",
          container_home: "/home/1000",
          startup_delay: 0.5,
          ws_timeout: 30,
          idle_timeout: 60,
          memory_bytes: 512 * 1024 ** 2,
          cpus: 0.5,
          pids: 100,
          env: { KEY: "k", OTHER: "o" },
          tokens_file: Option.some("/etc/tokens"),
          jwt_claim: "email",
          user_header: Option.some("x-user"),
          trusted_proxies: ["10.0.0.1", "10.0.1.0/24"]
        })
      )
    }))

  it.effect("names the variable that is wrong, and what it should be", () =>
    Effect.gen(function*() {
      const wrong: ReadonlyArray<readonly [Record<string, string>, string]> = [
        [{}, "LAB_TOKENS_FILE"],
        [{ ...tokens, LAB_MODE: "many" }, "LAB_MODE"],
        [{ ...tokens, LAB_CONTAINER_PORT: "0" }, "LAB_CONTAINER_PORT"],
        [{ ...tokens, LAB_WORKSPACE_ROOT: "here" }, "LAB_WORKSPACE_ROOT"],
        [{ ...tokens, LAB_CONTAINER_MEMORY: "much" }, "LAB_CONTAINER_MEMORY"],
        [{ ...tokens, LAB_IDLE_TIMEOUT_SECS: "-1" }, "LAB_IDLE_TIMEOUT_SECS"],
        [{ ...tokens, LAB_CONTAINER_ENV: "UNSET" }, "LAB_CONTAINER_ENV"],
        [{ LAB_JWT_SECRET: "short" }, "LAB_JWT_SECRET"],
        [{ LAB_JWT_SECRET_FILE: "/no/such/file" }, "LAB_JWT_SECRET_FILE"],
        [{ LAB_USER_HEADER: "x-user" }, "LAB_USER_HEADER"]
      ]
      for (const [variables, name] of wrong) {
        const error = yield* Effect.flip(readFrom(variables))
        assert.strictEqual(error.name, name)
        assert.notInclude(error.message, "short")
      }
    }))

  it("is documented, every setting with its default", () => {
    const docs = readFileSync(new URL("../../docs/operations.md", import.meta.url), "utf8")
    for (const { name, standard } of labSettings) {
      const row = docs.split("\n").find((line) => line.startsWith(`| \`${name}\``))
      assert.isDefined(row, `${name} is missing in docs/operations.md`)
      assert.include(row, standard === "" ? "|" : `\`${standard}\``)
    }
  })
})

describe("a variable the lab would not act on", () => {
  const single = settings({ mode: "single", tokens_file: Option.some("f") })
  const signed = settings({ jwt_secret: Option.some(Redacted.make("s")) })

  it.each(
    [
      [
        single,
        ["LAB_TLS_CERT"],
        /^LAB_TLS_CERT is not a setting of the lab: leave it out, or use one of LAB_MODE, /
      ],
      [signed, ["LAB_JWT_AUDIENCES"], /^LAB_JWT_AUDIENCES is not a setting/],
      [
        single,
        ["LAB_MODE", "LAB_CONTAINER_MEMORY"],
        /^LAB_CONTAINER_MEMORY applies to containers, .* LAB_MODE=multi/
      ],
      [single, ["LAB_IMAGE"], /^LAB_IMAGE applies to containers/],
      [
        single,
        ["LAB_JWT_ISSUER"],
        /^LAB_JWT_ISSUER applies to signed tokens, .* LAB_JWT_SECRET or LAB_JWT_JWKS/
      ],
      [
        signed,
        ["LAB_JWT_SECRET", "LAB_JWT_SECRET_FILE"],
        /^LAB_JWT_SECRET and LAB_JWT_SECRET_FILE are both set/
      ]
    ] as const
  )("is refused, with what to do: %#", (settings, given, said) => {
    assert.match(ignoredVariable(settings, given)?.message ?? "", said)
  })

  it("is none of those it makes use of", () => {
    assert.isUndefined(ignoredVariable(single, ["LAB_MODE", "LAB_TOKENS_FILE", "LAB_IDLE_TIMEOUT_SECS"]))
    assert.isUndefined(ignoredVariable(signed, ["LAB_IMAGE", "LAB_JWT_AUDIENCE", "LAB_JWT_SECRET"]))
    assert.isUndefined(
      ignoredVariable(
        signed,
        labSettings.map(({ name }) => name).filter((name) => name !== "LAB_JWT_SECRET_FILE")
      )
    )
  })
})

describe("signed tokens that anybody may have got for something else", () => {
  it("are warned of", () => {
    const jwt_secret = Option.some(Redacted.make("s"))
    const jwt_jwks = Option.some(new URL("https://id.example/keys"))
    assert.match(
      warningsOf(settings({ jwt_secret })).join(),
      /^LAB_JWT_AUDIENCE is not set: tokens .* for other/
    )
    assert.match(
      warningsOf(settings({ jwt_jwks })).join(),
      /LAB_JWT_AUDIENCE is not set.*,LAB_JWT_ISSUER is not set/
    )
    assert.isEmpty(warningsOf(settings({ jwt_secret, jwt_audience: Option.some("lab") })))
    assert.isEmpty(warningsOf(settings({ tokens_file: Option.some("f") })))
  })
})
