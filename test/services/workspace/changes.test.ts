/** The working tree as git sees it, and commits, in repositories of every kind, also such as want to run something. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll } from "vitest"
import { placeOf } from "../../../src/services/process/runProgram.js"
import * as Finder from "../../../src/services/workspace/FileFinder.js"
import { type Against, diff, list } from "../../../src/services/workspace/GitChanges.js"
import { commit, type CommitWanted, stage } from "../../../src/services/workspace/gitCommit.js"
import { open } from "../../../src/services/workspace/gitView.js"
import { isInside } from "../../../src/services/workspace/unkept.js"

const base = realpathSync(mkdtempSync(join(tmpdir(), "ai-relay-changes-")))
const own = join(base, "own")
const root = join(base, "root")
for (const folder of [own, root, join(base, "elsewhere")]) mkdirSync(folder)
afterAll(() => rmSync(base, { recursive: true, force: true }))

let count = 0
const quiet = { ...process.env, GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_NOSYSTEM: "1" }
const run = (folder: string, ...args: ReadonlyArray<string>) =>
  execFileSync("git", args, { cwd: folder, env: quiet, stdio: ["ignore", "pipe", "ignore"] }).toString("utf8")
    .trim()
const write = (folder: string, files: Readonly<Record<string, string>>) => {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(folder, path, ".."), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
}
const empty = (at = root) => {
  const folder = join(at, `r-${count++}`)
  mkdirSync(folder)
  run(folder, "init", "-q", "-b", "main")
  run(folder, "config", "user.name", "Ada")
  run(folder, "config", "user.email", "ada@example.com")
  return folder
}
const repository = (files: Readonly<Record<string, string>> = { "a.txt": "one\n" }, at = root) => {
  const folder = empty(at)
  write(folder, files)
  run(folder, "add", "-A")
  run(folder, "commit", "-qm", "first")
  return folder
}

const inside = (folder: string) => ({ folder, hides: () => false })
const look = (folder: string, program = placeOf("git") ?? "git") =>
  open({
    folder,
    program,
    base: own,
    mayUse: (path) => Effect.succeed(isInside(path, root))
  })
const changesIn = (folder: string, against?: string) =>
  Effect.flatMap(look(folder), (seen) => list(inside(folder), seen, against))
const filesIn = (folder: string, against?: string) =>
  Effect.map(changesIn(folder, against), ({ files }) => files)
const diffIn = (folder: string, path: string, against: Against = { kind: "unstaged" }, from?: string) =>
  Effect.flatMap(look(folder), (seen) => diff(inside(folder), seen, path, against, from))
const commitIn = (folder: string, wanted: Partial<CommitWanted> & Pick<CommitWanted, "message">) =>
  Effect.flatMap(look(folder), (seen) => commit(inside(folder), seen, { mayRun: false, ...wanted }))
const stageIn = (folder: string, files: ReadonlyArray<string>, staged: boolean) =>
  Effect.flatMap(look(folder), (seen) => stage(inside(folder), seen, files, staged))
const failing = <A, E extends { readonly message: string }>(effect: Effect.Effect<A, E>) =>
  Effect.flip(effect)

describe("changes", () => {
  it.effect("are told by what is staged and what is not", () =>
    Effect.gen(function*() {
      const folder = repository({
        "a.txt": "one\n",
        "b.txt": "b\n",
        "gone.txt": "g\n",
        "old.txt": "same\nlines\nhere\n"
      })
      write(folder, { "a.txt": "two\n", "new.txt": "n\n" })
      run(folder, "add", "a.txt")
      write(folder, { "a.txt": "three\n" })
      rmSync(join(folder, "gone.txt"))
      run(folder, "mv", "old.txt", "moved.txt")
      const { branch, branches, files, head, repository: is } = yield* changesIn(folder)
      assert.deepInclude({ is, branch }, { is: true, branch: "main" })
      assert.deepStrictEqual(branches, ["main"])
      assert.strictEqual(head, run(folder, "rev-parse", "HEAD"))
      assert.deepStrictEqual(files, [
        { path: "a.txt", staged: "changed", unstaged: "changed" },
        { path: "gone.txt", unstaged: "deleted" },
        { path: "moved.txt", staged: "renamed", from: "old.txt" },
        { path: "new.txt", untracked: true }
      ])
      assert.include((yield* diffIn(folder, "a.txt", { kind: "staged" })).diff, "-one\n+two\n")
      assert.include((yield* diffIn(folder, "a.txt")).diff, "-two\n+three\n")
      assert.include(
        (yield* diffIn(folder, "a.txt", { kind: "commit", name: "HEAD" })).diff,
        "-one\n+three\n"
      )
      assert.include((yield* diffIn(folder, "new.txt")).diff, "@@ -0,0 +1,1 @@\n+n\n")
      assert.include((yield* diffIn(folder, "gone.txt")).diff, "-g\n")
      assert.include(
        (yield* diffIn(folder, "moved.txt", { kind: "staged" }, "old.txt")).diff,
        "rename from old.txt"
      )
    }))

  it.effect("are the same that git tells, and looking changes nothing", () =>
    Effect.gen(function*() {
      const folder = repository({
        "a.txt": "one\n",
        "win.txt": "x\r\ny\r\n",
        ".gitattributes": "*.txt text=auto\n"
      })
      run(folder, "config", "core.autocrlf", "input")
      const before = readFileSync(join(folder, ".git/index"))
      // Only its time has changed. What git makes of that hangs on the moment.
      for (let time = 0; time < 30; time += 1) {
        writeFileSync(join(folder, "a.txt"), "one\n")
        assert.deepStrictEqual(yield* filesIn(folder), [])
        assert.deepStrictEqual(readFileSync(join(folder, ".git/index")), before)
      }
      assert.strictEqual(run(folder, "--no-optional-locks", "status", "--porcelain"), "")
    }))

  it.effect("are found in an empty repository, on no branch, and against any commit", () =>
    Effect.gen(function*() {
      const fresh = empty()
      write(fresh, { "a": "1", "b": "2" })
      run(fresh, "add", "a")
      const { files, head } = yield* changesIn(fresh)
      assert.isUndefined(head)
      assert.deepStrictEqual(files, [{ path: "a", staged: "added" }, { path: "b", untracked: true }])
      assert.include((yield* diffIn(fresh, "a", { kind: "staged" })).diff, "+1")

      const folder = repository()
      run(folder, "tag", "v1")
      write(folder, { "a.txt": "two\n" })
      run(folder, "commit", "-qam", "second")
      run(folder, "checkout", "-q", "--detach")
      const detached = yield* changesIn(folder)
      assert.isUndefined(detached.branch)
      assert.deepStrictEqual(detached.files, [])
      assert.deepStrictEqual(yield* filesIn(folder, "v1"), [{ path: "a.txt", unstaged: "changed" }])
      assert.deepStrictEqual(yield* filesIn(folder, "HEAD~1"), [{ path: "a.txt", unstaged: "changed" }])
      for (const name of ["nowhere", "--output=x", "-h", "HEAD:a.txt", "a b", "x".repeat(300)]) {
        const refused = yield* failing(filesIn(folder, name))
        assert.match(refused.message, /^git knows no commit/)
      }
    }))

  it.effect("have names as they are", () =>
    Effect.gen(function*() {
      const names = ["-n", "--cached", "a\nb", "q\"uo'te", "sp ace", "é漢", ":(top)x", "*", "a\\b", "tab\t"]
      const folder = repository(Object.fromEntries(names.map((name) => [name, "one\n"])))
      write(folder, Object.fromEntries(names.map((name) => [name, "two\n"])))
      assert.sameMembers((yield* filesIn(folder)).map(({ path }) => path), names)
      for (const name of names) {
        assert.include((yield* diffIn(folder, name)).diff, "-one\n+two\n", name)
      }
      const made = yield* commitIn(folder, { message: "all", files: names })
      assert.strictEqual(made.files, names.length)
      assert.deepStrictEqual(yield* filesIn(folder), [])
      write(folder, { "n\new": "x" })
      yield* commitIn(folder, { message: "new", files: ["n\new"] })
      assert.deepStrictEqual(yield* filesIn(folder), [])
      assert.strictEqual(run(folder, "status", "--porcelain"), "")
    }))

  it.effect("of what is no text or too much are told as such", () =>
    Effect.gen(function*() {
      const folder = repository({ "bin": "a\0b", "big": "x\n", "sub/keep": "" })
      write(folder, {
        "bin": "a\0c",
        "new.bin": "\0",
        "big": "y long line of text\n".repeat(100_000),
        "huge": "z\n".repeat(800_000)
      })
      assert.deepStrictEqual(yield* diffIn(folder, "bin"), { path: "bin", diff: "", binary: true })
      assert.deepStrictEqual(yield* diffIn(folder, "new.bin"), { path: "new.bin", diff: "", binary: true })
      assert.deepStrictEqual(yield* diffIn(folder, "big"), { path: "big", diff: "", too_large: true })
      assert.deepStrictEqual(yield* diffIn(folder, "huge"), { path: "huge", diff: "", too_large: true })
    }))

  it.effect("of a merge are told, shown against the last commit, and not committed half", () =>
    Effect.gen(function*() {
      const folder = repository()
      run(folder, "checkout", "-qb", "other")
      write(folder, { "a.txt": "other\n" })
      run(folder, "commit", "-qam", "other")
      run(folder, "checkout", "-q", "main")
      write(folder, { "a.txt": "main\n" })
      run(folder, "commit", "-qam", "main")
      try {
        run(folder, "merge", "other")
      } catch {
        // It cannot be merged.
      }
      const { files, under_way } = yield* changesIn(folder)
      assert.strictEqual(under_way, "merge")
      assert.deepInclude(files[0], { path: "a.txt", conflict: true })
      const shown = (yield* diffIn(folder, "a.txt")).diff
      assert.include(shown, "+<<<<<<< HEAD")
      assert.notInclude(shown, "@@@")
      assert.match(
        (yield* failing(commitIn(folder, { message: "x", files: ["a.txt"] }))).message,
        /a merge is in progress/
      )
    }))

  it.effect("of submodules are told by their commit, and nothing runs in them", () =>
    Effect.gen(function*() {
      const library = repository({ "l": "1" })
      const folder = repository()
      run(folder, "-c", "protocol.file.allow=always", "submodule", "add", "-q", library, "lib")
      run(folder, "commit", "-qm", "with a library")
      const mark = join(base, `ran-${count++}`)
      run(join(folder, "lib"), "config", "core.fsmonitor", `touch ${mark}; false`)
      write(join(folder, "lib"), { "l": "dirty" })
      assert.deepStrictEqual(yield* filesIn(folder), [])
      run(
        join(folder, "lib"),
        "-c",
        "core.fsmonitor=false",
        "-c",
        "user.name=a",
        "-c",
        "user.email=a@b",
        "commit",
        "-qam",
        "newer"
      )
      assert.deepStrictEqual(yield* filesIn(folder), [{ path: "lib", unstaged: "changed" }])
      assert.include((yield* diffIn(folder, "lib")).diff, "+Subproject commit")
      yield* commitIn(folder, { message: "newer library", files: ["lib"] })
      assert.deepStrictEqual(yield* filesIn(folder), [])
      assert.isFalse(existsSync(mark))
    }))

  it.effect("are staged and taken out again, as `git add` and `git restore --staged` do", () =>
    Effect.gen(function*() {
      const make = () => {
        const folder = repository({ "a.txt": "one\n", "gone.txt": "g\n", "old.txt": "same\nlines\nhere\n" })
        write(folder, { "a.txt": "two\n", "-n ew\nü.txt": "n\n", "d/e.txt": "e\n" })
        rmSync(join(folder, "gone.txt"))
        renameSync(join(folder, "old.txt"), join(folder, "moved.txt"))
        return folder
      }
      const all = ["a.txt", "gone.txt", "old.txt", "moved.txt", "-n ew\nü.txt", "d/e.txt"]
      const [folder, other] = [make(), make()]
      const status = (at: string) => run(at, "status", "--porcelain", "-z")
      const before = status(folder)
      yield* stageIn(folder, all, true)
      run(other, "add", "-A")
      assert.strictEqual(status(folder), status(other))
      assert.strictEqual(run(folder, "write-tree"), run(other, "write-tree"))
      yield* stageIn(folder, ["a.txt", "gone.txt", "d/e.txt"], false)
      run(other, "restore", "--staged", "a.txt", "gone.txt", "d/e.txt")
      assert.strictEqual(status(folder), status(other))
      yield* stageIn(folder, all, false)
      assert.strictEqual(status(folder), before)
      // Nothing on disk has changed.
      assert.strictEqual(readFileSync(join(folder, "a.txt"), "utf8"), "two\n")
      yield* stageIn(folder, [], true)
      assert.match(
        (yield* failing(stageIn(folder, ["../a"], true))).message,
        /is not a file in the session's folder/
      )

      const first = empty()
      write(first, { "a.txt": "a\n" })
      yield* stageIn(first, ["a.txt"], true)
      assert.deepStrictEqual(yield* filesIn(first), [{ path: "a.txt", staged: "added" }])
      yield* stageIn(first, ["a.txt"], false)
      assert.deepStrictEqual(yield* filesIn(first), [{ path: "a.txt", untracked: true }])
      assert.match((yield* failing(stageIn(root, ["a"], true))).message, /not in a git repository/)
    }))

  it.effect("below the session's folder only, in worktrees, too", () =>
    Effect.gen(function*() {
      const top = repository({ "app/a": "1\n", "other/b": "1\n" })
      write(top, { "app/a": "2\n", "other/b": "2\n", "app/n": "", "other/n": "" })
      const folder = join(top, "app")
      assert.deepStrictEqual((yield* filesIn(folder)).map(({ path }) => path), ["a", "n"])
      assert.include((yield* diffIn(folder, "a")).diff, "+2")
      assert.match(
        (yield* failing(diffIn(folder, "../other/b"))).message,
        /is not a file in the session's folder/
      )
      const scope = yield* Effect.scope
      const found = yield* Finder.make(scope).find(inside(folder), look(folder), "", 10)
      assert.sameMembers([...found.files], ["a", "n"])
      run(top, "add", "other/b")
      assert.match(
        (yield* failing(commitIn(folder, { message: "x" }))).message,
        /outside the session's folder are staged/
      )
      yield* commitIn(folder, { message: "only a", files: ["a"] })
      assert.strictEqual(run(top, "show", "--name-only", "--format="), "app/a")

      const tree = join(root, `w-${count++}`)
      run(top, "worktree", "add", "-q", "-b", "side", tree)
      write(tree, { "app/a": "3\n" })
      assert.deepStrictEqual(yield* filesIn(tree), [{ path: "app/a", unstaged: "changed" }])
      yield* commitIn(tree, { message: "side", files: ["app/a"] })
      assert.strictEqual(run(top, "log", "-1", "--format=%s", "side"), "side")
      assert.notStrictEqual(run(top, "log", "-1", "--format=%s", "main"), "side")
    }).pipe(Effect.scoped))

  it.effect("of files that were found by name leave out what is ignored and what is gone", () =>
    Effect.gen(function*() {
      const folder = repository({ "a.ts": "", "b.ts": "", ".gitignore": "out/\n" })
      write(folder, { "out/c.ts": "", "d.ts": "" })
      rmSync(join(folder, "b.ts"))
      const scope = yield* Effect.scope
      const found = yield* Finder.make(scope).find(inside(folder), look(folder), "ts", 10)
      assert.deepStrictEqual(found, { files: ["a.ts", "d.ts"], complete: true })
    }).pipe(Effect.scoped))
})

describe("a repository that lies elsewhere", () => {
  it.effect("is not looked at", () =>
    Effect.gen(function*() {
      const secret = repository({ "s": "SECRET" }, join(base, "elsewhere"))
      const led = join(root, `led-${count++}`)
      mkdirSync(led)
      writeFileSync(join(led, ".git"), `gitdir: ${secret}/.git\n`)
      assert.match((yield* failing(filesIn(led))).message, /is outside the allowed folders/)
      const linked = join(root, `linked-${count++}`)
      mkdirSync(linked)
      symlinkSync(join(secret, ".git"), join(linked, ".git"))
      assert.match((yield* failing(filesIn(linked))).message, /is outside/)
      const borrowing = repository()
      writeFileSync(join(borrowing, ".git/objects/info/alternates"), `${secret}/.git/objects\n`)
      assert.match((yield* failing(filesIn(borrowing))).message, /borrowed objects/)
      const exchanged = repository()
      renameSync(join(exchanged, ".git/objects"), join(exchanged, "o"))
      symlinkSync(join(secret, ".git/objects"), join(exchanged, ".git/objects"))
      assert.match((yield* failing(filesIn(exchanged))).message, /objects folder/)
      assert.deepStrictEqual((yield* changesIn(root)).repository, false)
    }))

  it.effect.each(["refs/heads/main", "objects/pack", "index", "packed-refs", "logs/HEAD"])(
    "by a link at %s is neither shown nor written",
    (name) =>
      Effect.gen(function*() {
        const secret = repository({ "s": "SECRET" }, join(base, "elsewhere"))
        run(secret, "repack", "-adq")
        run(secret, "pack-refs", "--all", "--no-prune")
        const folder = repository()
        const at = join(folder, ".git", name)
        const target = join(secret, ".git", name)
        const before = run(secret, "status", "--porcelain=v2", "--branch")
        const log = readFileSync(join(secret, ".git/logs/HEAD"), "utf8")
        rmSync(at, { recursive: true, force: true })
        symlinkSync(target, at)
        write(folder, { "a.txt": "two\n" })
        const all = [
          failing(filesIn(folder)),
          failing(filesIn(folder, "main")),
          failing(diffIn(folder, "s", { kind: "commit", name: "main" })),
          failing(stageIn(folder, ["a.txt"], true)),
          failing(commitIn(folder, { message: "; id", files: ["a.txt"], hooks: false }))
        ]
        for (const one of all) {
          assert.include((yield* one).message, `${name}" leads to of this repository is outside`)
        }
        assert.strictEqual(run(secret, "status", "--porcelain=v2", "--branch"), before)
        assert.strictEqual(readFileSync(join(secret, ".git/logs/HEAD"), "utf8"), log)
      })
  )

  it.effect("in the allowed folders is looked at, but not written through a link; links within it are its own", () =>
    Effect.gen(function*() {
      const other = repository({ "o": "OTHER" })
      const folder = repository()
      const log = join(other, ".git/logs/HEAD")
      const before = readFileSync(log, "utf8")
      rmSync(join(folder, ".git/logs/HEAD"))
      symlinkSync(log, join(folder, ".git/logs/HEAD"))
      write(folder, { "a.txt": "two\n" })
      assert.deepStrictEqual(yield* filesIn(folder), [{ path: "a.txt", unstaged: "changed" }])
      const wanted = { message: "x", files: ["a.txt"] }
      for (const one of [failing(commitIn(folder, wanted)), failing(stageIn(folder, ["a.txt"], true))]) {
        assert.include((yield* one).message, "a link that leads out of the repository's own files")
      }
      assert.strictEqual(readFileSync(log, "utf8"), before)
      rmSync(join(folder, ".git/logs/HEAD"))
      symlinkSync(join(root, "not-there"), join(folder, ".git/logs/HEAD"))
      assert.include((yield* failing(commitIn(folder, wanted))).message, "is outside the allowed folders")
      rmSync(join(folder, ".git/logs/HEAD"))
      symlinkSync("refs/heads/main", join(folder, ".git/logs/HEAD"))
      symlinkSync(join(other, ".git/hooks"), join(folder, ".git/lfs"))
      assert.strictEqual((yield* commitIn(folder, wanted)).files, 1)
    }))
})

describe("a hostile repository", () => {
  /** Wants to run something in every way its configuration and its files know. */
  const hostile = () => {
    const folder = repository({ "a.txt": "one\n", "b.bin": "b\n" })
    const mark = join(base, `ran-${count++}`)
    const program = join(base, `evil-${count++}`)
    writeFileSync(program, `#!/bin/sh\necho "$0 $*" >> ${mark}\ncat\n`)
    chmodSync(program, 0o755)
    const settings: Readonly<Record<string, string>> = {
      "core.fsmonitor": program,
      "core.pager": program,
      "core.editor": program,
      "core.sshCommand": program,
      "core.askPass": program,
      "core.hooksPath": join(folder, "hooks"),
      "core.alternateRefsCommand": program,
      "diff.external": program,
      "diff.evil.command": program,
      "diff.evil.textconv": program,
      "merge.evil.driver": program,
      "filter.evil.clean": program,
      "filter.evil.smudge": program,
      "filter.evil.process": program,
      "filter.evil.required": "true",
      "interactive.diffFilter": program,
      "gpg.program": program,
      "commit.gpgSign": "true",
      "log.showSignature": "true",
      "alias.diff": `!${program}`,
      "alias.ls-files": `!${program}`,
      "alias.status": `!${program}`,
      "remote.origin.url": join(folder, "nowhere"),
      "remote.origin.uploadpack": program,
      "remote.origin.promisor": "true",
      "extensions.partialClone": "origin",
      "core.repositoryFormatVersion": "1",
      "credential.helper": program
    }
    for (const [name, value] of Object.entries(settings)) {
      run(folder, "-c", "core.fsmonitor=false", "config", name, value)
    }
    write(folder, { "a.txt": "two\n", "new.txt": "n\n" })
    writeFileSync(join(folder, ".gitattributes"), "* filter=evil diff=evil merge=evil\n")
    writeFileSync(join(folder, ".git/info/attributes"), "* filter=evil diff=evil\n")
    for (const hooks of [join(folder, "hooks"), join(folder, ".git/hooks")]) {
      mkdirSync(hooks, { recursive: true })
      for (
        const name of [
          "pre-commit",
          "prepare-commit-msg",
          "commit-msg",
          "post-commit",
          "post-index-change",
          "reference-transaction",
          "fsmonitor-watchman",
          "post-checkout"
        ]
      ) {
        symlinkSync(program, join(hooks, name))
      }
    }
    return { folder, mark }
  }

  it.effect("runs nothing when it is looked at", () =>
    Effect.gen(function*() {
      const { folder, mark } = hostile()
      const paths = (yield* filesIn(folder)).map(({ path }) => path)
      assert.includeMembers(paths, [".gitattributes", "a.txt", "new.txt"])
      assert.include((yield* diffIn(folder, "a.txt")).diff, "-one\n+two\n")
      assert.include((yield* diffIn(folder, "a.txt", { kind: "commit", name: "main" })).diff, "-one\n+two\n")
      yield* diffIn(folder, "a.txt", { kind: "staged" })
      yield* failing(filesIn(folder, "0123456789012345678901234567890123456789"))
      assert.match((yield* failing(stageIn(folder, ["new.txt"], true))).message, /the filter evil/)
      yield* stageIn(folder, ["a.txt", "new.txt"], false)
      const scope = yield* Effect.scope
      yield* Finder.make(scope).find(inside(folder), look(folder), "a", 10)
      assert.isFalse(existsSync(mark), existsSync(mark) ? readFileSync(mark, "utf8") : "")
    }).pipe(Effect.scoped))

  it.effect("runs nothing when it is committed to by those who may not run programs, or without hooks", () =>
    Effect.gen(function*() {
      const { folder, mark } = hostile()
      const wanted = { message: "x", files: ["a.txt"] }
      const refused = yield* failing(commitIn(folder, wanted))
      assert.match(refused.message, /the hook pre-commit.*the filter evil, signing.*scope `terminal`/)
      assert.match((yield* failing(commitIn(folder, { ...wanted, hooks: false }))).message, /the filter evil/)
      assert.match(
        (yield* failing(commitIn(folder, { ...wanted, mayRun: true, neverRun: "agents are kept in" })))
          .message,
        /agents are kept in/
      )
      run(folder, "-c", "core.fsmonitor=false", "config", "--remove-section", "filter.evil")
      yield* stageIn(folder, ["new.txt"], true)
      yield* stageIn(folder, ["new.txt"], false)
      const made = yield* commitIn(folder, { ...wanted, hooks: false })
      assert.deepInclude(made, { files: 1, ran: [], branch: "main" })
      assert.isFalse(existsSync(mark), existsSync(mark) ? readFileSync(mark, "utf8") : "")
      assert.strictEqual(
        run(
          folder,
          "-c",
          "core.fsmonitor=false",
          "show",
          "--no-ext-diff",
          "-s",
          "--format=%an %s",
          "--no-show-signature"
        ),
        "Ada x"
      )
    }))
})

describe("a hook in a repository's settings, which git runs since 2.54", () => {
  /** What the installed git may be too old for: `update-ref` runs all such hooks that are not switched off. */
  const newGit = () => {
    const path = join(base, `git-${count++}`)
    writeFileSync(
      path,
      `#!/bin/sh
case " $* " in *" update-ref "*)
  git config --name-only --get-regexp '^hook[.].*[.]command$' | while read -r key; do
    [ "$(git config --type=bool --get "\${key%.command}.enabled")" = false ] || sh -c "$(git config --get "$key")"
  done
esac
exec git "$@"
`
    )
    chmodSync(path, 0o755)
    return path
  }
  const hooked = (event: string) => {
    const folder = repository()
    const mark = join(base, `ran-${count++}`)
    for (const name of ["evil", "e v=i.l"]) {
      run(folder, "config", `hook.${name}.event`, event)
      run(folder, "config", `hook.${name}.enabled`, "true")
      run(folder, "config", `hook.${name}.command`, `echo ${count} >> ${mark}`)
    }
    write(folder, { "a.txt": "two\n" })
    return { folder, mark }
  }
  const wanted = { message: "x", files: ["a.txt"], mayRun: false }

  it.effect("is told of, and not run for those who may not run programs, or without hooks", () =>
    Effect.gen(function*() {
      const { folder, mark } = hooked("reference-transaction")
      const program = newGit()
      const seen = yield* look(folder, program)
      const refused = yield* failing(commit(inside(folder), seen, wanted))
      assert.include(refused.message, "would run the hook reference-transaction, which are programs")
      assert.deepInclude(yield* commit(inside(folder), seen, { ...wanted, hooks: false }), {
        files: 1,
        ran: []
      })
      assert.isFalse(existsSync(mark))
      write(folder, { "a.txt": "three\n" })
      run(folder, "config", "--add", "hook.evil.enabled", "false")
      run(folder, "config", "--add", "hook.e v=i.l.enabled", "no")
      const again = yield* look(folder, program)
      assert.deepInclude(yield* commit(inside(folder), again, { ...wanted, message: "y" }), {
        files: 1,
        ran: []
      })
      run(folder, "config", "--add", "hook.evil.enabled", "true")
      execFileSync(program, ["update-ref", "refs/heads/other", "HEAD"], { cwd: folder, env: quiet })
      assert.isTrue(existsSync(mark))
    }))

  it.effect("is switched off by its name, or nothing is written", () =>
    Effect.gen(function*() {
      const { folder, mark } = hooked("reference-transaction")
      const config = join(folder, ".git/config")
      writeFileSync(
        config,
        Buffer.concat([readFileSync(config), Buffer.from("[hook \"\xff\"]\n\tcommand = id\n", "latin1")])
      )
      const seen = yield* look(folder, newGit())
      assert.include(
        (yield* failing(commit(inside(folder), seen, { ...wanted, hooks: false }))).message,
        "has a name that is not UTF-8"
      )
      assert.isFalse(existsSync(mark))
    }))
})

describe("a pipe in place of what is staged", () => {
  it.effect("is not waited for by who looks or commits: the relay goes on", () =>
    Effect.gen(function*() {
      const folder = repository()
      rmSync(join(folder, ".git/index"))
      execFileSync("mkfifo", [join(folder, ".git/index")])
      const all = [
        failing(filesIn(folder)),
        failing(diffIn(folder, "a.txt", { kind: "staged" })),
        failing(commitIn(folder, { message: "x", hooks: false }))
      ]
      for (const one of all) assert.include((yield* one).message, "cannot be read as an ordinary file")
    }))
})

describe("a pipe in a repository's settings", () => {
  it.live(
    "keeps those who look for seconds, not for half a minute for each of git's programs",
    () =>
      Effect.gen(function*() {
        const folder = repository()
        execFileSync("mkfifo", [join(folder, "pipe")])
        run(folder, "config", "include.path", join(folder, "pipe"))
        const began = performance.now()
        assert.include((yield* failing(filesIn(folder))).message, "took longer than")
        assert.isBelow(performance.now() - began, 15_000)
      }),
    40_000
  )
})

describe("a file of gigabytes in place of what is staged", () => {
  it.live(
    "is not read if it is no index, and otherwise in pieces: others go on, in the same memory",
    () =>
      Effect.gen(function*() {
        const folder = repository()
        const index = join(folder, ".git/index")
        truncateSync(index, 400 * 1024 * 1024)
        const before = process.memoryUsage().rss
        let longest = 0
        let last = performance.now()
        const beat = setInterval(() => {
          longest = Math.max(longest, performance.now() - last)
          last = performance.now()
        }, 5)
        yield* Effect.ensuring(failing(filesIn(folder)), Effect.sync(() => clearInterval(beat)))
        assert.isBelow(process.memoryUsage().rss - before, 150 * 1024 * 1024)
        assert.isBelow(longest, 700)
        writeFileSync(index, "")
        truncateSync(index, 400 * 1024 * 1024)
        assert.include((yield* failing(filesIn(folder))).message, "cannot be read as an ordinary file")
      }),
    60_000
  )
})

describe("a commit", () => {
  it.effect("has the chosen files as they are on disk; what else is staged stays so", () =>
    Effect.gen(function*() {
      const folder = repository({ "a": "1\n", "b": "1\n", "c": "1\n", "d": "1\n" })
      write(folder, { "a": "2\n", "b": "2\n", "new": "n\n" })
      rmSync(join(folder, "c"))
      run(folder, "mv", "d", "e")
      run(folder, "add", "b")
      const made = yield* commitIn(folder, {
        message: "  Mend it\n\nBecause.  \n\n",
        files: ["a", "c", "new", "e", "d"]
      })
      assert.deepStrictEqual(made, {
        commit: run(folder, "rev-parse", "main"),
        branch: "main",
        files: 5,
        ran: []
      })
      assert.strictEqual(
        run(folder, "log", "-1", "--format=%B|%an|%ae|%cn"),
        "Mend it\n\nBecause.\n|Ada|ada@example.com|Ada"
      )
      assert.strictEqual(run(folder, "status", "--porcelain"), "M  b")
      assert.deepStrictEqual(yield* filesIn(folder), [{ path: "b", staged: "changed" }])
      assert.match(run(folder, "reflog", "-1"), /commit: Mend it/)
      assert.strictEqual(run(folder, "fsck", "--strict"), "")
      const staged = yield* commitIn(folder, { message: "what is staged" })
      assert.strictEqual(staged.files, 1)
      assert.strictEqual(run(folder, "status", "--porcelain"), "")
      assert.match((yield* failing(commitIn(folder, { message: "again" }))).message, /nothing to commit/)
      assert.match(
        (yield* failing(commitIn(folder, { message: "again", files: ["a"] }))).message,
        /nothing to commit/
      )
      assert.match(
        (yield* failing(commitIn(folder, { message: " \n ", files: ["a"] }))).message,
        /message is empty/
      )
      for (const path of ["../x", "/etc/passwd", ".git/config", ""]) {
        yield* failing(commitIn(folder, { message: "x", files: [path] }))
      }
    }))

  it.effect("can be the first, and one on no branch", () =>
    Effect.gen(function*() {
      const folder = empty()
      write(folder, { "a": "1", "b": "2" })
      yield* commitIn(folder, { message: "first", files: ["a"] })
      assert.strictEqual(run(folder, "ls-tree", "--name-only", "main"), "a")
      run(folder, "checkout", "-q", "--detach")
      const made = yield* commitIn(folder, { message: "second", files: ["b"] })
      assert.notProperty(made, "branch")
      assert.strictEqual(run(folder, "rev-parse", "HEAD"), made.commit)
    }))

  it.effect("runs hooks as git does for those who may, and says so; a hook that says no is told", () =>
    Effect.gen(function*() {
      const folder = repository()
      const hook = join(folder, ".git/hooks/commit-msg")
      mkdirSync(join(hook, ".."), { recursive: true })
      writeFileSync(
        hook,
        "#!/bin/sh\ngrep -q FINE \"$1\" || { echo 'say FINE' >&2; exit 1; }\necho hooked >> \"$1\"\n"
      )
      chmodSync(hook, 0o755)
      write(folder, { "a.txt": "two\n", "n": "" })
      assert.match(
        (yield* failing(commitIn(folder, { message: "x", files: ["a.txt"], mayRun: true }))).message,
        /say FINE/
      )
      const made = yield* commitIn(folder, { message: "FINE", files: ["a.txt", "n"], mayRun: true })
      assert.deepInclude(made, { ran: ["the hook commit-msg"], files: 2 })
      assert.match(run(folder, "log", "-1", "--format=%B"), /FINE\nhooked/)
      write(folder, { "a.txt": "three\n" })
      assert.deepInclude(yield* commitIn(folder, { message: "quiet", files: ["a.txt"], hooks: false }), {
        ran: []
      })
    }))

  it.effect("needs a name", () =>
    Effect.gen(function*() {
      const folder = repository()
      run(folder, "config", "--unset", "user.name")
      run(folder, "config", "user.useConfigOnly", "true")
      write(folder, { "a.txt": "two\n" })
      const home = process.env["HOME"]
      process.env["HOME"] = own
      const refused = yield* failing(commitIn(folder, { message: "x", files: ["a.txt"] }))
      process.env["HOME"] = home
      assert.match(refused.message, /user\.name/)
    }))
})
