import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Layer, Schema, Scope } from "effect"
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type EventBody, Handshake, RequestId, SessionId } from "../../src/schema/index.js"
import { Journal } from "../../src/services/journal/Journal.js"
import * as EventLog from "../../src/services/log/EventLog.js"
import { RelayConfig } from "../../src/services/RelayConfig.js"
import { commandLine } from "../support/commandLine.js"

const newFolder = Effect.acquireRelease(
  Effect.sync(() => realpathSync(mkdtempSync(join(tmpdir(), "ai-relay-policy-")))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
)

/** What the program prints. */
const printed = (...args: ReadonlyArray<string>) =>
  Effect.map(commandLine("policy", ...args), ({ lines }) => lines.join("\n"))

const keep = (
  state_dir: string,
  folder: string,
  sessions: Readonly<Record<string, ReadonlyArray<EventBody>>>
) =>
  Effect.gen(function*() {
    const journal = yield* Journal
    for (const [name, events] of Object.entries(sessions)) {
      const session_id = SessionId.make(name)
      const scope = yield* Scope.make()
      const handshake = Schema.decodeUnknownSync(Handshake)({ tool: "claude", folder, session_id })
      const opened = yield* Scope.provide(journal.open(session_id, handshake), scope)
      const log = yield* EventLog.make(session_id, opened)
      yield* log.append({ type: "session_start", metadata: { tool: "claude", folder } })
      for (const event of events) yield* log.append(event)
      yield* Effect.andThen(log.close, Scope.close(scope, Exit.void))
    }
  }).pipe(Effect.provide(Journal.layer.pipe(Layer.provide(RelayConfig.layer({ state_dir })))))

const asked = (id: string, tool: string, args: object, kind: "tool" | "question" = "tool"): EventBody => ({
  type: "permission_request",
  request_id: RequestId.make(id),
  tool,
  args,
  metadata: { kind }
})
const answered = (id: string, status: "allow" | "deny", by: object = { connection: 1 }): EventBody => ({
  type: "control_response",
  request_id: RequestId.make(id),
  status,
  metadata: { by }
})

const rules = {
  rules: [
    { name: "no pushing", verdict: "deny", commands: [["git", "push"]] },
    { name: "looking", verdict: "allow", commands: [["git", "status"]], until: "1971-01-01T00:00:00Z" },
    { name: "sources", verdict: "allow", kinds: ["edit"], paths: ["{folder}/src/**"] },
    { name: "mail", verdict: "ask", commands: [["mail"]] }
  ]
}

const prepared = Effect.gen(function*() {
  const base = yield* newFolder
  const folder = join(base, "shop")
  mkdirSync(join(folder, "src"), { recursive: true })
  const file = join(base, "policy.json")
  writeFileSync(file, JSON.stringify(rules), { mode: 0o600 })
  yield* keep(join(base, "state"), folder, {
    "shop-42": [
      asked("a", "Bash", { command: "git status" }),
      answered("a", "deny"),
      asked("b", "Bash", { command: "ls; git push -f\u202e" }),
      answered("b", "allow"),
      asked("c", "Edit", { file_path: join(folder, "src/a.ts"), old_string: "a", new_string: "b" }),
      answered("c", "allow", { policy: "session:x" }),
      asked("d", "Bash", { command: "git status $X" }),
      asked("q", "AskUserQuestion", {}, "question")
    ],
    other: [asked("e", "Bash", { command: "mail root" }), {
      type: "permission_cancelled",
      request_id: RequestId.make("e"),
      text: "",
      metadata: { reason: "timeout" }
    }],
    quiet: []
  })
  return { base, folder, file, state: join(base, "state") }
})

describe("ai-relay policy test", () => {
  it.effect("says what the rules would have decided about a kept session, and by which rule", () =>
    Effect.gen(function*() {
      const { file, folder, state } = yield* prepared
      assert.deepStrictEqual((yield* printed("test", "--state-dir", state, file, "shop-42")).split("\n"), [
        `shop-42  claude  ${folder}`,
        "!      2  allow  Bash: git status",
        "                 rule \"looking\"; then: deny",
        "!      4  deny   Bash: ls; git push -f\\u{202e}",
        "                 rule \"no pushing\"; then: allow",
        `       6  allow  Edit: ${folder}/src/a.ts`,
        "                 rule \"sources\"; then: allow (session:x)",
        "       8  ask    Bash: git status $X",
        "                 not fully understood: it uses a variable; then: open",
        "4 requests in 1 session: 2 allow, 1 ask, 1 deny; 2 against what was answered then (marked with !)"
      ])
    }))

  it.effect("looks at all kept sessions where none is named, tells programs too, and changes nothing", () =>
    Effect.gen(function*() {
      const { file, folder, state } = yield* prepared
      const before = readdirSync(state, { recursive: true })
      const { requests } = JSON.parse(yield* printed("test", "--json", "--state-dir", state, file))
      assert.lengthOf(requests, 5)
      assert.deepInclude(requests.find(({ session_id }: { session_id: string }) => session_id === "other"), {
        agent: "claude",
        folder,
        tool: "Bash",
        args: { command: "mail root" },
        verdict: "ask",
        rule: "mail",
        then: "cancelled"
      })
      assert.include(yield* printed("test", "--state-dir", state, file), "5 requests in 3 sessions:")
      assert.deepStrictEqual(readdirSync(state, { recursive: true }), before)
    }))

  it.effect("says what is wrong with the rules, with a session's name, or with what was asked of it", () =>
    Effect.gen(function*() {
      const { base, file, state } = yield* prepared
      assert.match(
        yield* printed("test", "--state-dir", state, file, "shop-43"),
        /no session "shop-43" is saved/
      )
      assert.match(yield* printed("test", "--state-dir", state, join(base, "none.json")), /cannot be read/)
      chmodSync(file, 0o666)
      assert.match(
        yield* printed("test", "--state-dir", state, file),
        /other users can write to .*chmod go-w/
      )
      assert.match(yield* printed(), /ai-relay policy test RULES/)
      process.exitCode = 0
    }))
})
