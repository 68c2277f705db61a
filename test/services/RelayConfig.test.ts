import { assert, describe, it } from "@effect/vitest"
import { homedir } from "node:os"
import { afterEach, vi } from "vitest"
import { defaults } from "../../src/services/RelayConfig.js"

afterEach(() => void vi.restoreAllMocks())

describe("the folders sessions may work in by default", () => {
  it("are the one the relay was started in, and the home folder", () =>
    assert.deepStrictEqual(defaults().roots, [process.cwd(), homedir()]))

  it("are never /: a service that is started there works where somebody wrote down", () => {
    vi.spyOn(process, "cwd").mockReturnValue("/")
    assert.deepStrictEqual(defaults().roots, [homedir()])
  })
})
