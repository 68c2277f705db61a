import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Option } from "effect"
import { readFileSync } from "node:fs"
import { read } from "../../src/lab/LabConfig.js"
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
        settings({ mode: "single", tokens_file: Option.some("/etc/tokens") })
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
