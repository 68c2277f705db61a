/**
 * Checkpoints with real git: 300 random sequences of edits, turns and rewinds, judged by git's own tree hashes; and what is
 * odd about folders, one by one. What is the user's (index, HEAD, refs, stash, config) is the same, byte for byte, before
 * and after.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Scope } from "effect"
import fc from "fast-check"
import { execFileSync } from "node:child_process"
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { setTimeout as wait } from "node:timers/promises"
import { afterAll } from "vitest"
import { SessionId } from "../../../src/schema/index.js"
import * as SessionStates from "../../../src/services/workspace/SessionStates.js"

const base = realpathSync(mkdtempSync(join(tmpdir(), "ai-relay-rewind-")))
afterAll(() => rmSync(base, { recursive: true, force: true }))

let count = 0
const makeFolder = () => {
  const folder = join(base, `folder ${count++}`)
  mkdirSync(folder)
  return folder
}

/** As the user: with settings of their own, none of this machine's. */
const env = {
  PATH: process.env["PATH"] ?? "",
  HOME: base,
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_AUTHOR_NAME: "U",
  GIT_AUTHOR_EMAIL: "u@example.com",
  GIT_COMMITTER_NAME: "U",
  GIT_COMMITTER_EMAIL: "u@example.com"
}
const asUser = (folder: string, ...args: ReadonlyArray<string>) =>
  execFileSync("git", ["-c", "init.defaultBranch=main", ...args], {
    cwd: folder,
    env,
    encoding: "utf8",
    stdio: "pipe"
  })

/** All files, with what counts of them. */
const contentOf = (folder: string): Record<string, string> => {
  const found: Record<string, string> = {}
  const visit = (path: Buffer, name: string) => {
    for (const child of readdirSync(path, { encoding: "buffer" })) {
      const text = child.toString("latin1")
      if (text === ".git" || text === "ignored") continue
      const inner = Buffer.concat([path, Buffer.from("/"), child])
      const stats = lstatSync(inner)
      const shown = `${name}${text}`
      if (stats.isDirectory()) visit(inner, `${shown}/`)
      else if (stats.isSymbolicLink()) found[shown] = `-> ${readlinkSync(inner)}`
      else if (stats.isFile()) {
        found[shown] = `${(stats.mode & 0o100) === 0 ? "" : "x "}${readFileSync(inner).toString("latin1")}`
      }
    }
  }
  visit(Buffer.from(folder), "")
  return found
}

/** What of the repository nobody but the user may change. */
const usersOf = (folder: string, gitDir = join(folder, ".git")) => {
  const read = (name: string) => {
    const path = join(gitDir, name)
    return existsSync(path) ? readFileSync(path).toString("latin1") : undefined
  }
  return {
    files: [
      "index",
      "HEAD",
      "config",
      "packed-refs",
      "ORIG_HEAD",
      "MERGE_HEAD",
      "logs/HEAD",
      "logs/refs/stash",
      "info/exclude"
    ].map(read),
    refs: existsSync(join(gitDir, "refs"))
      ? Object.entries(contentOf(join(gitDir, "refs"))).filter(([name]) => !name.startsWith("ai-relay/"))
      : [],
    hooks: existsSync(join(gitDir, "hooks")) ? readdirSync(join(gitDir, "hooks")) : []
  }
}

interface Options {
  readonly session?: string
  readonly state_dir?: string
  readonly inRepository?: boolean
  readonly mayUse?: boolean
  readonly bounds?: SessionStates.Options["bounds"]
  readonly patience?: number
}

const closing: Array<() => Promise<void>> = []
afterAll(() => Promise.all(closing.map((close) => close())))

/** A session of its own relay. */
const openSession = async (folder: string, options: Options = {}) => {
  const { bounds, inRepository = true, mayUse = true, session = "s-1" } = options
  const state_dir = options.state_dir ?? join(base, `state ${count++}`)
  mkdirSync(join(state_dir, "sessions", session), { recursive: true })
  const scope = Effect.runSync(Scope.make())
  closing.push(() => Effect.runPromise(Scope.close(scope, Exit.void)))
  const states = await Effect.runPromise(SessionStates.make({
    state_dir,
    scope,
    mayUse: () => Effect.succeed(mayUse),
    inRepository,
    ...(bounds !== undefined && { bounds }),
    ...(options.patience !== undefined && { patience: options.patience })
  }))
  const told: Array<string> = []
  const kept = await Effect.runPromise(
    states.open(SessionId.make(session), folder, (text) => void told.push(text))
  )
  let turn = 0
  const run = <A, E>(effect: Effect.Effect<A, E>) => Effect.runPromise(effect)
  return {
    kept,
    told,
    state_dir,
    forget: () => run(states.forget(SessionId.make(session))),
    /** What the agent does in it. */
    turn: async (work: () => void, isLast = true) => {
      turn += 1
      await run(kept.before(turn))
      work()
      await run(kept.after(turn))
      // What comes next is not the agent's.
      if (isLast) await run(kept.preview(turn))
      return turn
    },
    back: (turn: number, force = false) =>
      run(kept.rewind({ turn, files: true, force }, Effect.succeed(undefined))),
    refusal: (turn: number) =>
      run(
        Effect.flip(kept.rewind({ turn, files: true, force: false }, Effect.succeed(undefined)))
      ) as Promise<
        SessionStates.RewindRefused
      >,
    undo: (force = false) => run(kept.undo({ force }, () => Effect.void)),
    list: () => run(kept.list),
    preview: (turn: number) => run(kept.preview(turn))
  }
}

const repository = (folder = makeFolder()) => {
  asUser(folder, "init", "-q")
  return folder
}

// --- random sequences ------------------------------------------------------------------------------------------------

const names = [
  "a.txt",
  "b",
  "dir/c.txt",
  "dir/sub/d",
  "dir",
  "ünïcode ☃",
  "line\nbreak",
  "-dash",
  "*.glob",
  "[x]",
  ":colon"
]
const name = fc.constantFrom(...names)
const edit = fc.oneof(
  fc.record({
    do: fc.constant("write" as const),
    name,
    text: fc.constantFrom("", "one\n", "two\r\nlines\r\n", "\0\xff")
  }),
  fc.record({ do: fc.constant("remove" as const), name }),
  fc.record({ do: fc.constant("link" as const), name, to: fc.constantFrom("a.txt", "nowhere", "..", "dir") }),
  fc.record({ do: fc.constant("mode" as const), name }),
  fc.record({ do: fc.constant("user" as const), what: fc.constantFrom("add", "commit", "stash", "reset") })
)
type Edit = typeof edit extends fc.Arbitrary<infer A> ? A : never

const statOf = (path: string) => {
  try {
    return lstatSync(path)
  } catch {
    return undefined
  }
}

/** In the way of a file may stand a folder or a link, and the other way round. */
const clear = (folder: string, path: string) => {
  const parts = path.split("/")
  parts.forEach((_, index) => {
    const place = join(folder, ...parts.slice(0, index + 1))
    const stats = statOf(place)
    const isLast = index === parts.length - 1
    if (stats !== undefined && (isLast || !stats.isDirectory())) {
      rmSync(place, { recursive: true, force: true })
    }
  })
  mkdirSync(join(folder, ...parts.slice(0, -1)), { recursive: true })
}

const carryOut = (folder: string, edit: Edit, isRepository: boolean) => {
  switch (edit.do) {
    case "write":
      clear(folder, edit.name)
      return writeFileSync(join(folder, edit.name), edit.text, "latin1")
    case "remove": {
      const path = join(folder, edit.name)
      // A link on the way leads elsewhere.
      if (realIn(folder, path) && statOf(path) !== undefined) rmSync(path, { recursive: true, force: true })
      return
    }
    case "link":
      clear(folder, edit.name)
      return symlinkSync(edit.to, join(folder, edit.name))
    case "mode": {
      const path = join(folder, edit.name)
      const stats = realIn(folder, path) ? statOf(path) : undefined
      if (stats?.isFile() === true) chmodSync(path, stats.mode ^ 0o100)
      return
    }
    case "user":
      if (!isRepository) return
      try {
        if (edit.what === "add") asUser(folder, "add", "-A")
        if (edit.what === "commit") asUser(folder, "commit", "-q", "--allow-empty", "-am", "of the user's")
        if (edit.what === "stash") asUser(folder, "stash", "-q")
        if (edit.what === "reset") asUser(folder, "reset", "-q")
      } catch {
        // Nothing to stash yet, and the like.
      }
  }
}

const realIn = (folder: string, path: string) => {
  try {
    return realpathSync(join(path, "..")).startsWith(folder)
  } catch {
    return false
  }
}

const sequence = fc.array(
  fc.record({ turn: fc.array(edit, { maxLength: 4 }), person: fc.array(edit, { maxLength: 1 }) }),
  { minLength: 1, maxLength: 2 }
)

describe("300 random sequences", () => {
  type Steps = ReadonlyArray<{ readonly turn: ReadonlyArray<Edit>; readonly person: ReadonlyArray<Edit> }>
  type World = {
    readonly folder: string
    readonly session: Awaited<ReturnType<typeof openSession>>
    sequences: number
  }

  const makeWorld = async (isRepository: boolean): Promise<World> => {
    const folder = isRepository ? repository() : makeFolder()
    writeFileSync(join(folder, "a.txt"), "at first\n")
    return { folder, session: await openSession(folder), sequences: 0 }
  }

  const check = async ({ folder, session }: World, isRepository: boolean, steps: Steps, choice: number) => {
    const states: Array<Record<string, string>> = []
    const turns: Array<number> = []
    for (const { person, turn } of steps) {
      turns.push(
        await session.turn(() => {
          states.push(contentOf(folder))
          for (const one of turn) carryOut(folder, one, isRepository)
        }, person.length > 0)
      )
      for (const one of person) carryOut(folder, one, isRepository)
    }
    const last = contentOf(folder)
    const users = isRepository ? usersOf(folder) : undefined
    const target = turns[choice % turns.length] ?? 0
    const before = states[choice % turns.length]
    const hasPerson = steps.some(({ person }) => person.length > 0)
    const preview = hasPerson ? await session.preview(target) : undefined
    const isRefused = preview !== undefined && preview.conflicts.length > 0
    if (isRefused) {
      const { files } = await session.refusal(target)
      assert.deepStrictEqual(files, preview.conflicts)
      assert.deepStrictEqual(contentOf(folder), last)
    }
    const done = await session.back(target, isRefused)
    if (preview !== undefined) assert.strictEqual(done.files_changed, preview.files_changed)
    assert.deepStrictEqual(contentOf(folder), before)
    if (isRepository) {
      // Git's own opinion: the tree it would write of this folder.
      const own = { ...env, GIT_INDEX_FILE: join(base, `index ${count++}`) }
      execFileSync("git", ["add", "-A"], { cwd: folder, env: own, stdio: "pipe" })
      const tree = execFileSync("git", ["write-tree"], { cwd: folder, env: own, encoding: "utf8" })
      assert.strictEqual(tree, asUser(folder, "rev-parse", `refs/ai-relay/s-1/${target}^{tree}`))
    }
    await session.undo()
    assert.deepStrictEqual(contentOf(folder), last)
    if (isRepository) assert.deepStrictEqual(usersOf(folder), users)
  }

  /** Twenty sequences in one folder, one after the other. */
  const run = async (isRepository: boolean, numRuns: number) => {
    const worlds: Array<World> = []
    await fc.assert(
      fc.asyncProperty(sequence, fc.nat(100), async (steps, choice) => {
        if ((worlds.at(-1)?.sequences ?? 20) >= 20) worlds.push(await makeWorld(isRepository))
        const world = worlds.at(-1) as World
        world.sequences += 1
        await check(world, isRepository, steps, choice)
      }),
      { numRuns, endOnFailure: true }
    )
    for (const { folder, session } of worlds) {
      if (isRepository) asUser(folder, "fsck", "--full", "--strict", "--no-dangling")
      await session.forget()
      if (isRepository) assert.strictEqual(asUser(folder, "for-each-ref", "refs/ai-relay"), "")
    }
  }

  it.concurrent("in git repositories", () => run(true, 200), 240_000)
  it.concurrent("in folders without git", () => run(false, 100), 240_000)
})

// --- one by one ------------------------------------------------------------------------------------------------------

const write = (folder: string, name: string, text: string) => writeFileSync(join(folder, name), text)
const read = (folder: string, name: string) => readFileSync(join(folder, name), "utf8")

/** A commit of one file. */
const committed = () => {
  const folder = repository()
  write(folder, "a.txt", "at first\n")
  asUser(folder, "add", "-A")
  asUser(folder, "commit", "-qm", "first")
  return folder
}

describe("a person's changes", () => {
  it("includes what a person changes right after a turn, while the folder is still being read", async () => {
    const folder = makeFolder()
    const path = join(folder, "a.txt")
    for (let index = 0; index < 300; index++) writeFileSync(join(folder, `${index}.txt`), `${index}`)
    const session = await openSession(folder)
    const texts = new Map<number, string>()
    for (let index = 0; index < 20; index++) {
      await wait(index * 2)
      writeFileSync(path, `text ${index}`)
      texts.set(await session.turn(() => {}, false), `text ${index}`)
    }
    for (const [turn, text] of texts) {
      await session.back(turn, true)
      assert.strictEqual(readFileSync(path, "utf8"), text)
    }
  })

  it("are refused by name, and gone over only by force", async () => {
    const folder = committed()
    const session = await openSession(folder)
    await session.turn(() => {
      write(folder, "a.txt", "the agent's\n")
      write(folder, "new.txt", "the agent's\n")
    })
    write(folder, "a.txt", "a person's\n")
    const refusal = await session.refusal(1)
    assert.deepStrictEqual(refusal.files, ["a.txt"])
    assert.include(refusal.message, "a.txt")
    assert.strictEqual(read(folder, "a.txt"), "a person's\n")
    assert.isTrue(existsSync(join(folder, "new.txt")))
    await session.back(1, true)
    assert.strictEqual(read(folder, "a.txt"), "at first\n")
    assert.isFalse(existsSync(join(folder, "new.txt")))
    await session.undo()
    assert.strictEqual(read(folder, "a.txt"), "a person's\n")
    assert.strictEqual(read(folder, "new.txt"), "the agent's\n")
  })

  it("between two turns before count, too; those in files that stay as they are do not", async () => {
    const folder = committed()
    const session = await openSession(folder)
    await session.turn(() => write(folder, "a.txt", "the agent's\n"))
    write(folder, "mine.txt", "a person's\n")
    await session.turn(() => write(folder, "b.txt", "the agent's\n"))
    assert.deepStrictEqual((await session.refusal(1)).files, ["mine.txt"])
    // Before the second turn it was there already.
    await session.back(2)
    assert.isFalse(existsSync(join(folder, "b.txt")))
    assert.strictEqual(read(folder, "mine.txt"), "a person's\n")
  })

  it("made after a rewind are not undone without force", async () => {
    const folder = committed()
    const session = await openSession(folder)
    await session.turn(() => write(folder, "a.txt", "the agent's\n"))
    await session.back(1)
    write(folder, "a.txt", "a person's\n")
    const refused = await session.undo().then(() => undefined, (failure: unknown) => String(failure))
    assert.include(refused, "a.txt")
    assert.strictEqual(read(folder, "a.txt"), "a person's\n")
    await session.undo(true)
    assert.strictEqual(read(folder, "a.txt"), "the agent's\n")
  })

  it("are told apart from the agent's in a later life of the relay, and after a kill in mid-turn", async () => {
    const folder = committed()
    const first = await openSession(folder)
    await first.turn(() => write(folder, "a.txt", "one\n"))
    await Effect.runPromise(first.kept.before(2))
    write(folder, "a.txt", "half of the second turn\n")
    await first.preview(2)
    const second = await openSession(folder, { state_dir: first.state_dir })
    assert.deepStrictEqual((await second.list()).checkpoints.map(({ turn }) => turn), [1, 2])
    assert.deepStrictEqual((await second.preview(2)).conflicts, [])
    await second.back(2)
    assert.strictEqual(read(folder, "a.txt"), "one\n")
  })
})

describe("the user's repository", () => {
  it("keeps its index, HEAD, stash and settings in a merge, and runs no hook, filter or monitor", async () => {
    const folder = committed()
    const spy = join(base, `ran ${count++}`)
    asUser(folder, "checkout", "-qb", "other")
    write(folder, "a.txt", "theirs\n")
    asUser(folder, "commit", "-qam", "theirs")
    asUser(folder, "checkout", "-q", "main")
    write(folder, "a.txt", "ours\n")
    asUser(folder, "commit", "-qam", "ours")
    write(folder, "stashed", "x")
    asUser(folder, "stash", "-qu")
    assert.throws(() => asUser(folder, "merge", "other"))
    // Everything a repository could have run.
    const hook = `#!/bin/sh\ntouch "${spy}"\n`
    mkdirSync(join(folder, ".git/hooks"), { recursive: true })
    for (
      const name of [
        "reference-transaction",
        "post-index-change",
        "post-checkout",
        "pre-commit",
        "fsmonitor-watchman"
      ]
    ) {
      writeFileSync(join(folder, ".git/hooks", name), hook, { mode: 0o755 })
    }
    asUser(folder, "config", "core.fsmonitor", join(folder, ".git/hooks/fsmonitor-watchman"))
    for (const what of ["clean", "smudge", "process"]) {
      asUser(folder, "config", `filter.spy.${what}`, `touch "${spy}"`)
    }
    asUser(folder, "config", "diff.external", `touch "${spy}"`)
    asUser(folder, "config", "core.autocrlf", "true")
    asUser(folder, "config", "commit.gpgSign", "true")
    rmSync(spy, { force: true })
    write(folder, ".gitattributes", "* text=auto filter=spy diff=spy ident working-tree-encoding=UTF-16\n")
    const crlf = "one\r\n$Id$\r\n"
    write(folder, "crlf.txt", crlf)
    const session = await openSession(folder)
    await session.turn(() => write(folder, "crlf.txt", "changed\n"))
    // Only once does git of the user's own look, which may run what it likes.
    const quiet = () =>
      ["index", "HEAD", "config", "MERGE_HEAD", "logs/refs/stash"].map((name) =>
        read(join(folder, ".git"), name)
      )
    const before = quiet()
    await session.back(1)
    assert.strictEqual(read(folder, "crlf.txt"), crlf)
    await session.undo()
    assert.deepStrictEqual(quiet(), before)
    assert.isFalse(existsSync(spy))
  })

  it("may have no commit yet", async () => {
    const folder = repository()
    const session = await openSession(folder)
    await session.turn(() => write(folder, "new", "x"))
    await session.back(1)
    assert.deepStrictEqual(contentOf(folder), {})
    assert.deepStrictEqual(session.told, [])
    assert.isTrue((await session.list()).in_repository)
  })

  it("may be a worktree, whose refs are the repository's", async () => {
    const folder = committed()
    const tree = join(base, `worktree-${count++}`)
    asUser(folder, "worktree", "add", "-q", tree)
    const session = await openSession(realpathSync(tree))
    await session.turn(() => write(tree, "a.txt", "the agent's\n"))
    await session.back(1)
    assert.strictEqual(read(tree, "a.txt"), "at first\n")
    assert.strictEqual(read(folder, "a.txt"), "at first\n")
    assert.include(asUser(folder, "for-each-ref"), "refs/ai-relay/s-1/1")
    assert.strictEqual(asUser(tree, "status", "--porcelain"), "")
    await session.forget()
    assert.notInclude(asUser(folder, "for-each-ref"), "ai-relay")
  })

  it("is set back only below the session's folder, and what the rest of it ignores is ignored there", async () => {
    const top = committed()
    const folder = join(top, "packages", "x [1]")
    mkdirSync(join(folder, "node_modules"), { recursive: true })
    write(top, ".gitignore", "node_modules/\n")
    write(folder, "in.txt", "before")
    const session = await openSession(folder)
    await session.turn(() => {
      write(folder, "in.txt", "after")
      write(folder, "node_modules/m.js", "after")
      write(top, "a.txt", "after")
    })
    assert.deepStrictEqual((await session.preview(1)).files.map(({ path }) => path), ["in.txt"])
    await session.back(1)
    assert.strictEqual(read(folder, "in.txt"), "before")
    assert.strictEqual(read(folder, "node_modules/m.js"), "after")
    assert.strictEqual(read(top, "a.txt"), "after")
  })

  it("is not written to where it lies outside of what the relay may use, or agents are kept in", async () => {
    for (const options of [{ mayUse: false }, { inRepository: false }]) {
      const folder = committed()
      const before = usersOf(folder)
      const session = await openSession(folder, options)
      await session.turn(() => write(folder, "a.txt", "after"))
      await session.back(1)
      assert.strictEqual(read(folder, "a.txt"), "at first\n")
      assert.deepStrictEqual(usersOf(folder), before)
      assert.strictEqual(asUser(folder, "for-each-ref", "refs/ai-relay"), "")
      assert.isFalse((await session.list()).in_repository)
    }
  })

  it("is not written to through links that lead out of its own files", async () => {
    const outside = join(makeFolder(), "profile")
    const folder = committed()
    const log = join(folder, ".git/logs/refs/ai-relay/s-1/1")
    mkdirSync(dirname(log), { recursive: true })
    writeFileSync(outside, "before\n")
    symlinkSync(outside, log)
    const session = await openSession(folder)
    await session.turn(() => write(folder, "a.txt", "after"))
    await session.back(1)
    assert.strictEqual(read(folder, "a.txt"), "at first\n")
    assert.isFalse((await session.list()).in_repository)
    // One that an agent lays meanwhile.
    const other = committed()
    const second = await openSession(other)
    await second.turn(() => {
      mkdirSync(join(other, ".git/logs/refs/ai-relay/s-1"), { recursive: true })
      symlinkSync(outside, join(other, ".git/logs/refs/ai-relay/s-1/2"))
      symlinkSync(outside, join(other, ".git/logs/refs/ai-relay/s-1/1-end"))
      write(other, "a.txt", "after")
    }, false)
    await second.turn(() => write(other, "a.txt", "later"), false)
    assert.match((await second.refusal(1)).message, /leads out of the repository's own files/)
    assert.include(second.told.join(), "leads out of the repository's own files")
    assert.strictEqual(readFileSync(outside, "utf8"), "before\n")
  })

  it("keeps what is ignored and was added all the same", async () => {
    const folder = repository()
    write(folder, ".gitignore", "*.log\n")
    write(folder, "kept.log", "before")
    write(folder, "other.log", "before")
    asUser(folder, "add", "-f", "kept.log", ".gitignore")
    const session = await openSession(folder)
    await session.turn(() => {
      write(folder, "kept.log", "after")
      write(folder, "other.log", "after")
    })
    await session.back(1)
    assert.strictEqual(read(folder, "kept.log"), "before")
    assert.strictEqual(read(folder, "other.log"), "after")
  })
})

describe("what is left out", () => {
  it("is said: large files, nested repositories, submodules, pipes; and none of it is touched", async () => {
    const folder = repository()
    const inner = committed()
    asUser(folder, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", inner, "sub")
    mkdirSync(join(folder, "nested"))
    asUser(join(folder, "nested"), "init", "-q")
    write(folder, "nested/file", "before")
    write(folder, "large.bin", "")
    truncateSync(join(folder, "large.bin"), 2000)
    execFileSync("mkfifo", [join(folder, "pipe")])
    const session = await openSession(folder, {
      bounds: { file_bytes: 1000, changed_files: 100, changed_bytes: 10_000, look_ms: 20_000 }
    })
    await session.turn(() => {
      write(folder, "nested/file", "after")
      write(folder, "sub/a.txt", "after")
      write(folder, "plain", "after")
    })
    const { checkpoints } = await session.list()
    assert.deepInclude(checkpoints[0]?.left_out ?? [], { path: "large.bin", why: "too_large" })
    assert.deepInclude(checkpoints[0]?.left_out ?? [], { path: "nested", why: "repository" })
    assert.deepInclude(checkpoints[0]?.left_out ?? [], { path: "sub", why: "repository" })
    await session.back(1)
    assert.isFalse(existsSync(join(folder, "plain")))
    assert.strictEqual(read(folder, "nested/file"), "after")
    assert.strictEqual(read(folder, "sub/a.txt"), "after")
    assert.isTrue(existsSync(join(folder, "large.bin")))
  })

  it("a file that grew too large is not lost unless that is wanted", async () => {
    const folder = makeFolder()
    write(folder, "data", "small")
    const bounds = { file_bytes: 1000, changed_files: 100, changed_bytes: 10_000, look_ms: 20_000 }
    const session = await openSession(folder, { bounds })
    await session.turn(() => write(folder, "data", "x".repeat(2000)))
    assert.deepStrictEqual((await session.refusal(1)).files, ["data"])
    assert.lengthOf(read(folder, "data"), 2000)
    await session.back(1, true)
    assert.strictEqual(read(folder, "data"), "small")
  })

  it("a folder with more than is kept is told once, with the reason", async () => {
    const folder = makeFolder()
    for (let index = 0; index < 20; index++) write(folder, `file ${index}`, "x")
    const bounds = { file_bytes: 1000, changed_files: 10, changed_bytes: 10_000, look_ms: 20_000 }
    const session = await openSession(folder, { bounds })
    await Effect.runPromise(session.kept.before(1))
    await Effect.runPromise(session.kept.before(2))
    assert.lengthOf(session.told, 1)
    assert.include(session.told[0], "20 new or changed files")
    assert.include((await session.list()).reason, "20 new or changed files")
  })
})

describe("a large folder", () => {
  it("holds no prompt up for longer than is allowed, which is told; later turns are kept", async () => {
    const folder = makeFolder()
    for (let index = 0; index < 500; index++) write(folder, `file ${index}`, "x")
    const session = await openSession(folder, { patience: 0 })
    await Effect.runPromise(session.kept.before(1))
    assert.include(session.told[0], "still being read")
    await eventually(() => existsSync(join(session.state_dir, "checkpoints", "s-1.ndjson")))
    await Effect.runPromise(Effect.ignore(session.kept.preview(1)))
    assert.deepStrictEqual((await session.list()).checkpoints, [])
  })
})

describe("links", () => {
  it("are set back as links, and nothing is written through one", async () => {
    const outside = makeFolder()
    write(outside, "c.txt", "of somebody else")
    const folder = repository()
    mkdirSync(join(folder, "dir"))
    write(folder, "dir/c.txt", "before")
    symlinkSync("dir/c.txt", join(folder, "link"))
    const session = await openSession(folder)
    await session.turn(() => {
      rmSync(join(folder, "link"))
      renameSync(join(folder, "dir"), join(folder, "moved"))
      symlinkSync(outside, join(folder, "dir"))
    })
    await session.back(1)
    assert.strictEqual(readlinkSync(join(folder, "link")), "dir/c.txt")
    assert.isTrue(lstatSync(join(folder, "dir")).isDirectory())
    assert.strictEqual(read(folder, "dir/c.txt"), "before")
    assert.strictEqual(read(outside, "c.txt"), "of somebody else")
    await session.undo()
    assert.strictEqual(readlinkSync(join(folder, "dir")), outside)
    assert.strictEqual(read(outside, "c.txt"), "of somebody else")
  })
})

describe("a change", () => {
  it("is seen though size and time are the same", async () => {
    const folder = makeFolder()
    const session = await openSession(folder)
    write(folder, "a", "one")
    const when = new Date(1_700_000_000_000)
    utimesSync(join(folder, "a"), when, when)
    await session.turn(() => {
      write(folder, "a", "two")
      utimesSync(join(folder, "a"), when, when)
    })
    await session.back(1)
    assert.strictEqual(read(folder, "a"), "one")
  })

  it("that was made in a file whose name is no UTF-8 is set back", async () => {
    const folder = makeFolder()
    const path = Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([0x66, 0xff, 0xfe])])
    writeFileSync(path, "before")
    const session = await openSession(folder)
    await session.turn(() => rmSync(path))
    await session.back(1)
    assert.strictEqual(readFileSync(path, "utf8"), "before")
  })
})

describe("what is kept", () => {
  it("is the last 200 turns, and goes with the session", async () => {
    const folder = committed()
    const session = await openSession(folder)
    for (let turn = 1; turn <= 203; turn++) await Effect.runPromise(session.kept.before(turn))
    await session.preview(203)
    const turns = (await session.list()).checkpoints.map(({ turn }) => turn)
    assert.lengthOf(turns, 200)
    assert.strictEqual(turns[0], 4)
    await session.forget()
    assert.strictEqual(asUser(folder, "for-each-ref", "refs/ai-relay"), "")
    assert.deepStrictEqual(readdirSync(join(session.state_dir, "checkpoints")), ["folders"])
  })

  it("of sessions the journal has dropped goes when the next session is opened", async () => {
    const folder = committed()
    const first = await openSession(folder, { session: "old" })
    await first.turn(() => write(folder, "a.txt", "x"))
    rmSync(join(first.state_dir, "sessions", "old"), { recursive: true })
    const second = await openSession(folder, { session: "new", state_dir: first.state_dir })
    await second.turn(() => write(folder, "a.txt", "y"))
    await eventually(() => !asUser(folder, "for-each-ref").includes("refs/ai-relay/old"))
    assert.include(asUser(folder, "for-each-ref"), "refs/ai-relay/new")
  })
})

const eventually = async (holds: () => boolean) => {
  const until = performance.now() + 20_000
  while (!holds()) {
    if (performance.now() > until) throw new Error("it never came true")
    await new Promise((resolve) => setImmediate(resolve))
  }
}
