/** What `gemini --resume` leaves beside a conversation, because of which Gemini's next start would delete both. */
import { afterAll, assert, describe, it } from "@effect/vitest"
import { mkdirSync, mkdtempSync, realpathSync, rmSync, utimesSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { basename, join } from "node:path"
import { runSteps } from "../../../src/adapters/native/NativeFiles.js"
import { storeAt } from "../../support/nativeHomes.js"

const home = realpathSync(mkdtempSync(join(tmpdir(), "gemini-leftovers-")))
afterAll(() => rmSync(home, { recursive: true }))
const chats = join(home, ".gemini/tmp/shop/chats")
mkdirSync(chats, { recursive: true })
writeFileSync(join(home, ".gemini/tmp/shop/.project_root"), "/srv/shop")

const id = "7b974545-9461-4b74-8c30-cc8285e04f4c"
const other = "7b974545-0000-4000-8000-000000000000"
const at = (seconds: number) => new Date(Date.UTC(2026, 10, 28, 15, 0, seconds))
const write = (minute: string, seconds: number, ...lines: ReadonlyArray<object | string>) => {
  const path = join(chats, `session-2026-11-28T15-${minute}-7b974545.jsonl`)
  writeFileSync(
    path,
    lines.map((line) => `${typeof line === "string" ? line : JSON.stringify(line)}\n`).join("")
  )
  utimesSync(path, at(seconds), at(seconds))
}
const head = (sessionId: string) => ({
  sessionId,
  projectHash: "e7",
  startTime: at(0).toISOString(),
  kind: "main"
})
const said = (type: "user" | "gemini", text: string) => ({
  id: text,
  timestamp: at(0).toISOString(),
  type,
  content: [{ text }]
})
const context = { $set: { messages: [said("user", "<session_context>here</session_context>")] } }

write(
  "03",
  50,
  head(id),
  said("user", "mend it"),
  said("gemini", "done"),
  said("user", "and more of it, so that it is longest")
)
write("10", 20, head(id), context)
write("11", 21, head(id), context, head(id), context)
// Not to be touched: another's, one that is being written, one with words in it, one that nobody understands.
write("12", 22, head(other), context)
write("13", 55, head(id), context)
write("14", 24, head(id), said("user", "words"))
write("15", 25, head(id), { $set: { messages: [said("gemini", "an answer")] } })
write("16", 26, head(id), "{\"torn")

describe("Gemini's empty files", () => {
  it("are those of the same conversation with nothing said in them, left before it was written to again", () => {
    const store = storeAt("gemini", home)
    const found = runSteps(store.find(id))
    if (found === undefined) return assert.fail("the conversation is there")
    assert.strictEqual(basename(found.path), "session-2026-11-28T15-03-7b974545.jsonl")
    assert.deepStrictEqual(
      store.leftovers?.(found).map(({ path }) => basename(path)).toSorted(),
      ["session-2026-11-28T15-10-7b974545.jsonl", "session-2026-11-28T15-11-7b974545.jsonl"]
    )
  })
})
