/** The operator's rules: what they say to each agent's calls, and what fools them not. */
import { afterAll, assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as fc from "fast-check"
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { homedir, tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { type PermissionRequest, RequestId } from "../../../src/schema/index.js"
import * as Policy from "../../../src/services/policy/Policy.js"
import { read } from "../../../src/services/policy/shellCommands.js"
import { allowed, asked, denied } from "./attacks.js"

const home = realpathSync(mkdtempSync(join(tmpdir(), "policy-")))
afterAll(() => rmSync(home, { recursive: true }))
const folder = join(home, "project")
mkdirSync(join(folder, "src"), { recursive: true })
mkdirSync(join(home, "outside"))
symlinkSync(join(home, "outside"), join(folder, "link"))
symlinkSync(join(home, "nowhere"), join(folder, "dangling"))
writeFileSync(join(home, "outside", "file"), "")
symlinkSync(join(home, "outside", "file"), join(folder, "src", "linked.ts"))

const rules: Policy.PolicyFile = {
  rules: [
    { name: "never", verdict: "deny", commands: [["rm"], ["curl"], ["git", "push"]] },
    {
      name: "usual",
      verdict: "allow",
      commands: [["git", "status"], ["ls"], ["echo"], ["cat"], ["npm", "test"]]
    }
  ]
}

const ask = (tool: string, args: unknown, metadata: object = {}): PermissionRequest => ({
  type: "permission_request",
  request_id: RequestId.make("r"),
  tool,
  args,
  metadata: { kind: "tool", ...metadata }
})
const place: Policy.Place = { agent: "claude", folder, now: Date.parse("2026-11-28T12:00:00Z") }
const decide = (file: Policy.PolicyFile, tool: string, args: unknown, more: Partial<Policy.Place> = {}) =>
  Policy.decide(file, ask(tool, args), { ...place, ...more })
const verdictOf = (command: string) => decide(rules, "Bash", { command }).verdict

describe("a policy and commands", () => {
  it("has more than two hundred ways to be fooled here", () => {
    assert.isAbove(denied.length + asked.length, 200)
  })

  it.each(denied)("denies what a shell would run: %j", (command) => {
    assert.strictEqual(verdictOf(command), "deny")
  })

  it.each(asked)("does not allow what it is not told or cannot know: %j", (command) => {
    assert.strictEqual(verdictOf(command), "ask")
  })

  it.each(allowed)("allows what is surely that command: %j", (command) => {
    assert.strictEqual(verdictOf(command), "allow")
  })

  it("says the same for each agent's spelling of a command", () => {
    const calls: ReadonlyArray<readonly [string, (command: string) => unknown]> = [
      ["Bash", (command) => ({ command, description: "look" })],
      ["commandExecution", (command) => ({ command: `/bin/zsh -lc '${command}'`, cwd: folder })],
      ["commandExecution", (command) => ({ command: ["bash", "-lc", command] })],
      ["run_shell_command", (command) => ({ command, description: "look" })],
      ["execute", (command) => ({ command })]
    ]
    for (const [tool, args] of calls) {
      assert.deepStrictEqual(
        decide(rules, tool, args("git status")),
        { verdict: "allow", rule: "usual" },
        tool
      )
      assert.deepStrictEqual(decide(rules, tool, args("ls; rm x")), { verdict: "deny", rule: "never" }, tool)
      assert.strictEqual(decide(rules, tool, args("make")).verdict, "ask", tool)
    }
  })

  it("asks when an argument says what nobody knows", () => {
    const command = "git status"
    for (
      const args of [
        { command, dangerouslyDisableSandbox: true },
        { command, network: { host: "evil" } },
        { command, cwd: "/tmp" },
        { cmd: command },
        {},
        null,
        [command]
      ]
    ) assert.strictEqual(decide(rules, "Bash", args).verdict, "ask")
    assert.strictEqual(
      Policy.decide(rules, ask("Bash", { command }, { blocked_path: "/etc" }), place).verdict,
      "ask"
    )
  })

  it("knows a path the agent stops at for one of its own folder, or not", () => {
    const rules: Policy.PolicyFile = {
      rules: [{ name: "status", verdict: "allow", commands: [["git", "status"]] }]
    }
    const told = (blocked_path: unknown) =>
      Policy.decide(rules, ask("Bash", { command: "git status" }, { blocked_path }), place)
    // Claude names any it would write to.
    assert.deepStrictEqual(told(join(folder, "new.txt")), { verdict: "allow", rule: "status" })
    assert.deepStrictEqual(told("new.txt"), { verdict: "allow", rule: "status" })
    const unclear = { verdict: "ask", unclear: "it reaches outside the agent's folders" }
    for (
      const path of [ // Also by a link in the folder.
        "link/x",
        "src/linked.ts",
        "dangling",
        "/etc/passwd",
        `${folder}-evil/x`,
        join(folder, "..", "x"),
        `${folder}/../x`,
        "../x",
        7
      ]
    ) {
      assert.deepStrictEqual(told(path), unclear as never, String(path))
    }
  })

  it("takes no other tool that has a command for a shell", () => {
    assert.strictEqual(decide(rules, "mcp__evil__run", { command: "git status" }).verdict, "ask")
    assert.strictEqual(decide(rules, "bash_evil", { command: "git status" }).verdict, "ask")
  })

  it("never allows a text that holds what a shell expands, however it is put together", () => {
    const piece = fc.constantFrom(
      ..."git,status,ls,rm,x,$(,),`,',\",\\,;,|,&,\n,<,>,{,},*,$X,~,!,#,=, ,\t,$',EOF,<<,-c,bash,sudo".split(
        ","
      )
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const text = pieces.join("")
        if (verdictOf(text) !== "allow") return
        const bare = text.replace(/\\[\s\S]/g, "").replace(/'[^']*'/g, "").replace(/"[^"]*"/g, "")
        assert.notMatch(bare, /[$`*{}~!#<>()]/, JSON.stringify(text))
        for (const { words: [program] } of read(text).commands) assert.include(["git", "ls"], program)
      }),
      { numRuns: 5000 }
    )
  })

  it("takes a time in proportion to the text", () => {
    for (
      const unit of [
        "$(",
        "`",
        "{",
        "((",
        "'",
        "\"$(",
        "<(",
        "a ",
        "sudo ",
        "env bash -c ",
        "\\",
        "<<a\n",
        ";",
        "${a"
      ]
    ) {
      const began = process.cpuUsage()
      verdictOf(unit.repeat(60_000 / unit.length))
      const { user } = process.cpuUsage(began)
      assert.isBelow(user / 1000, 1000, JSON.stringify(unit))
    }
  })
})

describe("a policy and files", () => {
  const files: Policy.PolicyFile = {
    rules: [
      { name: "secrets", verdict: "deny", paths: ["**/.env", "**/.git/**"] },
      { name: "sources", verdict: "allow", kinds: ["edit"], paths: ["{folder}/src/**"] },
      { name: "reading", verdict: "allow", kinds: ["read"], paths: ["{folder}/**"] }
    ]
  }
  const edit = (file_path: string) =>
    decide(files, "Edit", { file_path, old_string: "a", new_string: "b" }).verdict

  it("are matched where they lie, after links are resolved", () => {
    assert.strictEqual(edit(join(folder, "src/a.ts")), "allow")
    assert.strictEqual(edit("src/new/deep/a.ts"), "allow")
    assert.strictEqual(edit(join(folder, "package.json")), "ask")
    assert.strictEqual(edit(join(folder, "link/file")), "ask")
    assert.strictEqual(edit("src/linked.ts"), "ask")
    assert.strictEqual(edit("dangling"), "ask")
    assert.strictEqual(edit("src/../package.json"), "ask")
    assert.strictEqual(edit("link/../src/a.ts"), "ask")
    assert.strictEqual(edit("/etc/passwd"), "ask")
    assert.strictEqual(edit("src/.env"), "deny")
    assert.strictEqual(edit(join(folder, ".git/hooks/pre-commit")), "deny")
  })

  it("are denied wherever an odd way may lead, by its letters or by the links in it", () => {
    const inside: Policy.PolicyFile = {
      rules: [
        { name: "own", verdict: "deny", paths: ["{folder}/private/**", "{folder}/dangling"] },
        { name: "home", verdict: "deny", paths: [`${realpathSync(homedir())}/.ssh/**`] },
        { name: "etc", verdict: "deny", paths: ["/etc/**"] },
        { name: "all", verdict: "allow", kinds: ["edit"], paths: ["{folder}/**"] }
      ]
    }
    const verdict = (file_path: string) => decide(inside, "Write", { file_path, content: "" }).verdict
    assert.strictEqual(verdict("src/a.ts"), "allow")
    for (
      const path of [
        "src/../private/key",
        "src/./../src/../private/x",
        "private/./key",
        "nowhere/../private/key",
        "/srv/../etc/cron.d/x",
        `${folder}/../../../../../../../etc/passwd`,
        "~/.ssh/config",
        "dangling"
      ]
    ) assert.strictEqual(verdict(path), "deny", path)
    // A shell follows the link before it goes up: this lies beside what the link leads to.
    const beside = realpathSync(join(folder, "link"))
    const above: Policy.PolicyFile = {
      rules: [{ name: "beside", verdict: "deny", paths: [`${dirname(beside)}/secret`] }]
    }
    assert.strictEqual(decide(above, "Write", { file_path: "link/../secret", content: "" }).verdict, "deny")
    assert.strictEqual(decide(above, "Bash", { command: "echo a > link/../secret" }).verdict, "deny")
    // What is not understood is not allowed, wherever it may lead.
    assert.strictEqual(verdict("~/notes.md"), "ask")
    assert.strictEqual(verdict("~root/notes.md"), "ask")
  })

  it("whose names begin with a dot are not changed without asking unless the rule spells them", () => {
    const settings = [
      ".claude/settings.local.json",
      ".mcp.json",
      ".codex/config.toml",
      "packages/a/.gemini/settings.json",
      ".git/hooks/pre-commit",
      "src/.npmrc"
    ]
    const verdictOf = (rule: Partial<Policy.Rule>) => (file_path: string) =>
      decide({ rules: [{ name: "one", verdict: "allow", ...rule }] }, "Write", { file_path, content: "{}" })
        .verdict
    for (
      const rule of [
        { paths: ["{folder}/**"] },
        {
          paths: ["{folder}/*", "{folder}/*/*", "{folder}/?claude/**", "**/settings.json", "**/config.toml"]
        },
        { kinds: ["edit"] },
        { tools: ["Write"] }
      ] satisfies ReadonlyArray<Partial<Policy.Rule>>
    ) {
      const verdict = verdictOf(rule)
      for (const path of settings) assert.strictEqual(verdict(path), "ask", `${path} ${JSON.stringify(rule)}`)
      assert.strictEqual(verdict("package.json"), "allow")
    }
    const all: Policy.PolicyFile = { rules: [{ name: "all", verdict: "allow", kinds: ["edit", "execute"] }] }
    assert.strictEqual(decide(all, "Bash", { command: "echo hi > .claude/settings.json" }).verdict, "ask")
    assert.strictEqual(decide(all, "Bash", { command: "echo hi > a/b.json" }).verdict, "allow")
    const spelled = verdictOf({ paths: ["{folder}/.github/**", "{folder}/.*", "**/.npmrc"] })
    assert.strictEqual(spelled(".github/workflows/ci.yml"), "allow")
    assert.strictEqual(spelled(".github/.hidden"), "ask")
    assert.strictEqual(spelled(".editorconfig"), "allow")
    assert.strictEqual(spelled("src/.npmrc"), "allow")
    // Wildcards of a rule that denies match them, and reading is another matter.
    assert.strictEqual(verdictOf({ verdict: "deny", paths: ["{folder}/**"] })(".mcp.json"), "deny")
    assert.strictEqual(decide(files, "Read", { file_path: ".claude/settings.json" }).verdict, "allow")
  })

  it("are all looked at, in each agent's way to name them", () => {
    const codex = (...paths: ReadonlyArray<string>) =>
      decide(files, "fileChange", { changes: paths.map((path) => ({ path, kind: "update", diff: "" })) })
        .verdict
    assert.strictEqual(codex("src/a.ts", join(folder, "src/b.ts")), "allow")
    assert.strictEqual(codex("src/a.ts", "/etc/passwd"), "ask")
    assert.strictEqual(codex("src/a.ts", ".env"), "deny")
    assert.strictEqual(codex(), "ask")
    assert.strictEqual(decide(files, "write_file", { file_path: "src/x", content: "" }).verdict, "allow")
    assert.strictEqual(decide(files, "Read", { file_path: "package.json" }).verdict, "allow")
    assert.strictEqual(
      decide(files, "Write", { file_path: "src/x", content: "", target: "/dev/sda" }).verdict,
      "ask"
    )
    assert.strictEqual(decide(files, "mcp__x__Write", { file_path: "src/x" }).verdict, "ask")
  })

  it("are also those that a change is moved to, or hides in a list", () => {
    const codex = (...changes: ReadonlyArray<unknown>) =>
      decide(files, "fileChange", { file_path: "src/a.ts", changes }).verdict
    const moved = (move_path: string) => ({ path: "src/a.ts", kind: { type: "update", move_path }, diff: "" })
    assert.strictEqual(codex(moved("src/b.ts")), "allow")
    assert.strictEqual(codex(moved("/home/somebody/.bashrc")), "ask")
    assert.strictEqual(codex(moved("package.json")), "ask")
    assert.strictEqual(codex(moved(".env")), "deny")
    assert.strictEqual(codex({ file: "/etc/passwd" }), "ask")
    assert.strictEqual(codex("/etc/passwd"), "ask")
    const byFile = { "src/a.ts": { update: { unified_diff: "", move_path: ".env" } } }
    assert.strictEqual(decide(files, "fileChange", { changes: byFile }).verdict, "deny")
    const edits = [{ file_path: ".env", old_string: "a", new_string: "b" }]
    assert.strictEqual(decide(files, "MultiEdit", { file_path: "src/a.ts", edits }).verdict, "deny")
    assert.strictEqual(
      decide(files, "edit", { filePath: ".env", oldString: "", newString: "" }).verdict,
      "deny"
    )
  })

  it("are not allowed by a pattern that may lead out of the folder it is given", () => {
    const read = (tool: string, args: object) => decide(files, tool, { path: "src", ...args }).verdict
    assert.strictEqual(read("Glob", { pattern: "**/*.ts" }), "allow")
    assert.strictEqual(read("Grep", { pattern: "/etc/..", glob: "*.{ts,tsx}" }), "allow")
    for (const pattern of ["/etc/**", "../../**", "a/../../**", "{a,/etc/*}", "{..,a}/*", "~/.ssh/*"]) {
      assert.strictEqual(read("Glob", { pattern }), "ask", pattern)
      assert.strictEqual(read("glob", { pattern }), "ask", pattern)
      assert.strictEqual(read("Grep", { pattern: "x", glob: pattern }), "ask", pattern)
      assert.strictEqual(read("read_many_files", { include: ["a", pattern] }), "ask", pattern)
    }
  })

  it("that a command writes need a rule for files, too", () => {
    const both: Policy.PolicyFile = { rules: [...rules.rules, ...files.rules] }
    assert.strictEqual(decide(both, "Bash", { command: "echo a > src/x" }).verdict, "allow")
    assert.strictEqual(decide(both, "Bash", { command: "echo a > package.json" }).verdict, "ask")
    assert.strictEqual(decide(both, "Bash", { command: "echo a > .env" }).verdict, "deny")
    assert.strictEqual(decide(both, "Bash", { command: "cat < package.json" }).verdict, "allow")
  })
})

describe("a policy's rules", () => {
  const one = (rule: Partial<Policy.Rule>): Policy.PolicyFile => ({
    rules: [{ name: "one", verdict: "allow", commands: [["ls"]], ...rule }]
  })

  it("hold for the agents, folders and tools they name, until they end", () => {
    const ls = (file: Policy.PolicyFile, more: Partial<Policy.Place> = {}) =>
      decide(file, "Bash", { command: "ls -l" }, more).verdict
    assert.strictEqual(ls(one({})), "allow")
    assert.strictEqual(ls(one({ agents: ["codex"] })), "ask")
    assert.strictEqual(ls(one({ agents: ["c*"] })), "allow")
    assert.strictEqual(ls(one({ folders: ["/srv/**"] })), "ask")
    assert.strictEqual(ls(one({ folders: [`${home}/**`] })), "allow")
    assert.strictEqual(ls(one({ tools: ["Bash"] })), "allow")
    assert.strictEqual(ls(one({ tools: ["mcp__*"] })), "ask")
    assert.strictEqual(ls(one({ kinds: ["edit"] })), "ask")
    assert.strictEqual(ls(one({ exact: true })), "ask")
    assert.strictEqual(ls(one({ until: "2026-11-28T11:59:59Z" })), "ask")
    assert.strictEqual(ls(one({ until: "2026-11-28T12:00:01Z" })), "allow")
  })

  it("are looked at in order: the first that matches decides", () => {
    const file: Policy.PolicyFile = {
      rules: [
        { name: "first", verdict: "ask", commands: [["ls", "secret"]] },
        { name: "second", verdict: "allow", kinds: ["execute"] },
        { name: "third", verdict: "deny", kinds: ["execute"] }
      ]
    }
    assert.deepStrictEqual(decide(file, "Bash", { command: "ls secret" }), { verdict: "ask", rule: "first" })
    assert.deepStrictEqual(decide(file, "Bash", { command: "make" }), { verdict: "allow", rule: "second" })
    assert.strictEqual(decide(file, "Bash", { command: "make $X" }).verdict, "ask")
  })

  it("never answer a question or a plan", () => {
    const file: Policy.PolicyFile = { rules: [{ name: "all", verdict: "allow", tools: ["*"] }] }
    for (const kind of ["question", "plan", "other"]) {
      assert.strictEqual(Policy.decide(file, ask("AskUserQuestion", {}, { kind }), place).verdict, "ask")
    }
  })

  it.effect("are refused with what is wrong in them", () =>
    Effect.gen(function*() {
      const problemOf = (text: string) =>
        Effect.map(Effect.flip(Policy.parse(text, "p.json")), ({ message }) => message)
      const rule = (fields: object) =>
        JSON.stringify({ rules: [{ name: "a", verdict: "allow", kinds: ["edit"], ...fields }] })
      assert.include(yield* problemOf("{"), "p.json")
      assert.include(yield* problemOf("{}"), "rules")
      assert.include(yield* problemOf(rule({ verdict: "perhaps" })), "verdict")
      assert.include(yield* problemOf(rule({ path: ["x"] })), "path")
      assert.include(yield* problemOf(rule({ until: "soon" })), "is not a time")
      assert.include(yield* problemOf(rule({ commands: [["ls"]], paths: ["x"] })), "matches nothing")
      assert.include(
        yield* problemOf(JSON.stringify({ rules: [{ name: "a", verdict: "allow" }] })),
        "would allow everything"
      )
      const twice = { name: "a", verdict: "deny", kinds: ["edit"] }
      assert.include(yield* problemOf(JSON.stringify({ rules: [twice, twice] })), "two rules")
      assert.lengthOf((yield* Policy.parse(rule({}), "p.json")).rules, 1)
    }))

  it.effect("are not read from a file that others can write to", () =>
    Effect.gen(function*() {
      const file = join(home, "policy.json")
      writeFileSync(file, JSON.stringify(rules), { mode: 0o666 })
      const { chmodSync } = yield* Effect.promise(() => import("node:fs"))
      chmodSync(file, 0o666)
      assert.include((yield* Effect.flip(Policy.load(file))).message, "chmod go-w")
      chmodSync(file, 0o600)
      assert.lengthOf((yield* Policy.load(file)).rules, 2)
    }))
})
