import { assert, describe, it } from "@effect/vitest"
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll } from "vitest"
import { SessionId } from "../../../src/schema/index.js"
import * as SessionMarks from "../../../src/services/journal/SessionMarks.js"

describe("what people make of sessions", () => {
  const state = mkdtempSync(join(tmpdir(), "ai-relay-marks-"))
  afterAll(() => rmSync(state, { recursive: true, force: true }))
  const id = SessionId.make("s-1")
  const folder = join(state, "sessions", id)

  it("outlives the relay, beside the session", () => {
    mkdirSync(folder, { recursive: true })
    SessionMarks.make(state).change(id, { title: "Invoices", archived: true })
    assert.deepStrictEqual(SessionMarks.make(state).get(id), { title: "Invoices", archived: true })
    SessionMarks.make(state).change(id, { archived: false })
    assert.deepStrictEqual(SessionMarks.make(state).get(id), { title: "Invoices" })
  })

  it("is nothing where the file is broken, and makes no folder of its own", () => {
    writeFileSync(join(folder, "marks.json"), "{\"title\":")
    assert.deepStrictEqual(SessionMarks.make(state).get(id), {})
    const marks = SessionMarks.make(state)
    const other = SessionId.make("s-2")
    marks.change(other, { title: "Only in memory" })
    assert.deepStrictEqual(marks.get(other), { title: "Only in memory" })
    assert.isFalse(existsSync(join(state, "sessions", other)))
    marks.forget(other)
    assert.deepStrictEqual(marks.get(other), {})
  })
})
