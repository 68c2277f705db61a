import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, assert, describe, it } from "vitest"
import { rowsOf, stateTrouble } from "../../src/cli/doctor.js"

const finding = { tool: "x", name: "X", installed: true, logged_in: true, version: "1.2.3" }

/** What stands beside the agent's version. */
const versionIn = (more: object): string =>
  (rowsOf([{ ...finding, ...more }])[1] ?? "").split(/ {2,}/)[3] ?? ""

describe("doctor, of the state folder", () => {
  const home = mkdtempSync(join(tmpdir(), "doctor-"))
  afterAll(() => rmSync(home, { recursive: true }))

  it("has nothing against one that exists, or can be created", () => {
    assert.isUndefined(stateTrouble(home))
    assert.isUndefined(stateTrouble(join(home, "not", "yet")))
  })

  it("says why it cannot be created", () => {
    writeFileSync(join(home, "file"), "")
    const said = stateTrouble(join(home, "file", "state"))
    assert.match(said ?? "", /cannot be created: .*file is not a folder; use another folder with --state-dir/)
  })
})

describe("doctor, of an agent's version", () => {
  it("says that it was tested", () => {
    assert.strictEqual(versionIn({ compatibility: "tested" }), "1.2.3 (tested)")
  })

  it("says that it is newer than those that were", () => {
    const compatibility = "newer than tested (1.2.0)"
    assert.strictEqual(versionIn({ compatibility }), "1.2.3 (newer than tested (1.2.0))")
  })

  it("says what trouble it is known for", () => {
    const known = { compatibility: "tested", trouble: ["forgets its mode", "drops images"] }
    assert.strictEqual(versionIn(known), "1.2.3 (tested; known trouble: forgets its mode, drops images)")
  })

  it("says that no version of the agent was tested", () => {
    assert.strictEqual(versionIn({}), "1.2.3 (not tested)")
  })

  it("prints no control characters of a version", () => {
    assert.notInclude(versionIn({ version: "1\u001b[31m" }), "\u001b")
  })
})
