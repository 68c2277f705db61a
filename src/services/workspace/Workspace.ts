/**
 * Workspace: a session's folder: its files, its git status, and files attached for the agent. The folder is resolved and compared
 * with the roots each time; the code behind each operation is loaded when it is first used.
 */
import { Context, Effect, Layer, Scope, Semaphore } from "effect"
import { mkdtempSync, realpathSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Readable } from "node:stream"
import type { SessionId } from "../../schema/index.js"
import type { Attachment } from "../../schema/WorkspaceAnswers.js"
import type { FileContent, FolderListing, TreeListing } from "../../schema/WorkspaceAnswers.js"
import type { Changes, FileDiff, FoundFiles } from "../../schema/WorkspaceAnswers.js"
import type { Commit } from "../../schema/WorkspaceAnswers.js"
import { type FolderNotFound, Folders, type ForbiddenFolder } from "../access/Folders.js"
import * as SessionRecord from "../journal/SessionRecord.js"
import { placeOf } from "../process/runProgram.js"
import { RelayConfig } from "../RelayConfig.js"
import type { Uploads } from "./attachments.js"
import * as Finder from "./FileFinder.js"
import type { Against } from "./GitChanges.js"
import type { CommitWanted } from "./gitCommit.js"
import { type Inside, type Opened, openIn } from "./insideFolder.js"
import { isInside } from "./unkept.js"
import { refuse, type WorkspaceRefused } from "./WorkspaceRefused.js"

/** A session's folder. Paths are relative to it, with `/` between. */
export interface WorkspaceFolder {
  /** Lists a folder; "" is the session's own. */
  readonly list: (path: string) => Effect.Effect<TreeListing, WorkspaceRefused>
  /** A part of a file; `offset` and `length` in bytes. */
  readonly read: (
    path: string,
    offset?: number,
    length?: number
  ) => Effect.Effect<FileContent, WorkspaceRefused>
  /** Opens a file to send its bytes; closing the scope closes it. */
  readonly open: (path: string) => Effect.Effect<Opened, WorkspaceRefused, Scope.Scope>
  /** Finds files by words in their names, best matches first. */
  readonly find: (query: string, limit: number) => Effect.Effect<FoundFiles, WorkspaceRefused>
  /** Changes since the last commit, or since the commit `against`. */
  readonly changes: (against?: string) => Effect.Effect<Changes, WorkspaceRefused>
  /** The diff of one file; `from`: its old name, if it was renamed. */
  readonly diff: (path: string, against: Against, from?: string) => Effect.Effect<FileDiff, WorkspaceRefused>
  /** Stage files as they are on disk, or unstage them; gives the resulting changes. */
  readonly stage: (files: ReadonlyArray<string>, staged: boolean) => Effect.Effect<Changes, WorkspaceRefused>
  readonly commit: (wanted: Omit<CommitWanted, "neverRun">) => Effect.Effect<Commit, WorkspaceRefused>
  /** Saves a file for the agent, in the relay's state or in the session's folder. */
  readonly attach: (
    session_id: SessionId,
    name: string,
    content: Readable,
    into: "state" | "folder"
  ) => Effect.Effect<Attachment, WorkspaceRefused>
}

export class Workspace extends Context.Service<Workspace, {
  /** The folders in a folder, to choose one for a session; absent: the allowed roots. `within`: only these and below. */
  readonly folders: (
    path: string | undefined,
    within: ReadonlyArray<string> | undefined
  ) => Effect.Effect<FolderListing, WorkspaceRefused | FolderNotFound | ForbiddenFolder>
  /** The folder of a session, if the relay may still use it; `within`: if it lies in one of these, or below, now. */
  readonly at: (
    folder: string,
    within?: ReadonlyArray<string>
  ) => Effect.Effect<WorkspaceFolder, WorkspaceRefused | FolderNotFound | ForbiddenFolder>
}>()("ai-relay/services/Workspace") {
  static readonly layer = Layer.effect(this, Effect.suspend(() => make))
}

const realOf = (path: string): string => {
  try {
    return realpathSync.native(path)
  } catch {
    return path
  }
}

const limitedTo = (within: ReadonlyArray<string>) =>
  refuse("forbidden", `this token is limited to ${within.join(", ")}: choose a folder there`)
const noGit = refuse("conflict", "git is not installed on the relay's machine: install it")
const load = {
  tree: Effect.promise(() => import("./FileTree.js")),
  view: Effect.promise(() => import("./gitView.js")),
  changes: Effect.promise(() => import("./GitChanges.js")),
  commit: Effect.promise(() => import("./gitCommit.js")),
  attachments: Effect.promise(() => import("./attachments.js"))
}

const make = Effect.gen(function*() {
  const { private_files, record, roots, sandbox, state_dir } = yield* RelayConfig
  const allowed = yield* Folders
  const scope = yield* Effect.scope
  const finder = Finder.make(scope)
  // A shared limit: each request runs several processes.
  const looks = Semaphore.makeUnsafe(4)
  const commits = Semaphore.makeUnsafe(2)
  const uploads: Uploads = new Map()
  const own = [state_dir, record, ...private_files].filter((path) => path !== undefined)

  /** Holds what git needs for reading; deleted when the relay ends. */
  const base = yield* Effect.cached(
    Effect.suspend(() => {
      const made = realpathSync(mkdtempSync(join(tmpdir(), "ai-relay-git-")))
      return Effect.as(
        Effect.addFinalizer(() => Effect.sync(() => rmSync(made, { recursive: true, force: true }))),
        made
      )
    }).pipe(Scope.provide(scope))
  )
  const mayUse = (path: string) => Effect.isSuccess(allowed.resolve(path))

  const insideOf = (folder: string): Inside => {
    const hidden = own.map(realOf).filter((path) => !isInside(folder, path))
    return { folder, hides: (real) => hidden.some((path) => isInside(real, path)) }
  }

  const look = (folder: string) =>
    Effect.gen(function*() {
      const program = placeOf("git")
      if (program === undefined) return undefined
      const { open } = yield* load.view
      return yield* open({ folder, program, base: yield* base, mayUse })
    })
  const seen = (folder: string) =>
    Effect.gen(function*() {
      if (placeOf("git") === undefined) return yield* noGit
      const { sayFailed } = yield* load.view
      return yield* Effect.catchTag(look(folder), "GitFailed", (failed) => Effect.fail(sayFailed(failed)))
    })

  const isWithin = (real: string, within: ReadonlyArray<string> | undefined) =>
    within === undefined || within.some((root) => isInside(real, root))
  /** A client learns nothing about folders it may not see. */
  const resolveWithin = Effect.fnUntraced(
    function*(wanted: string, within: ReadonlyArray<string> | undefined) {
      if (within !== undefined && !isWithin(yield* allowed.leadsTo(wanted), within)) {
        return yield* limitedTo(within)
      }
      const folder = yield* allowed.resolve(wanted)
      return within === undefined || isWithin(folder, within) ? folder : yield* limitedTo(within)
    }
  )

  const at = Effect.fn("Workspace.at")(function*(wanted: string, within?: ReadonlyArray<string>) {
    const folder = yield* resolveWithin(wanted, within)
    const inside = insideOf(folder)
    const neverRun = sandbox
      ? "this relay runs agents in a sandbox, so no programs of a repository may run outside it"
      : undefined
    const here: WorkspaceFolder = {
      list: (path) => Effect.flatMap(load.tree, ({ list }) => list(inside, path)),
      read: (path, offset, length) =>
        Effect.flatMap(load.tree, ({ read }) => read(inside, path, offset, length)),
      open: (path) => openIn(inside, path, "file"),
      find: (query, limit) =>
        finder.find(inside, look(folder), query, limit).pipe(
          Effect.catchTag("GitFailed", ({ reason }) => Effect.fail(refuse("conflict", reason)))
        ),
      changes: Effect.fnUntraced(function*(against) {
        const { list } = yield* load.changes
        return yield* list(inside, yield* seen(folder), against)
      }, looks.withPermits(1)),
      diff: Effect.fnUntraced(function*(path, against, from) {
        const { diff } = yield* load.changes
        return yield* diff(inside, yield* seen(folder), path, against, from)
      }, looks.withPermits(1)),
      stage: Effect.fnUntraced(function*(files, staged) {
        const [{ list }, { stage }] = yield* Effect.all([load.changes, load.commit])
        const view = yield* seen(folder)
        yield* stage(inside, view, files, staged)
        return yield* list(inside, view)
      }, commits.withPermits(1)),
      commit: Effect.fnUntraced(function*(wanted) {
        const { commit } = yield* load.commit
        return yield* commit(inside, yield* seen(folder), { ...wanted, neverRun })
      }, commits.withPermits(1)),
      attach: Effect.fnUntraced(function*(session_id, name, content, into) {
        const { keep, putInFolder } = yield* load.attachments
        if (into === "folder") return yield* putInFolder(content, name, inside)
        if (state_dir === undefined) {
          return yield* refuse(
            "conflict",
            "this relay saves nothing on disk: put the file in the session's folder (`into=folder`)"
          )
        }
        if (sandbox) {
          return yield* refuse(
            "conflict",
            "agents run in a sandbox here and see nothing outside their folder: put the file in the session's folder (`into=folder`)"
          )
        }
        return yield* keep(
          content,
          name,
          SessionRecord.filesOf(SessionRecord.folderIn(state_dir), session_id),
          uploads
        )
      })
    }
    return here
  })

  const folders = Effect.fn("Workspace.folders")(
    function*(path: string | undefined, within: ReadonlyArray<string> | undefined) {
      const { beginnings, foldersIn } = yield* load.tree
      if (path === undefined) {
        const real = yield* Effect.forEach(within ?? roots, (root) => Effect.option(allowed.resolve(root)))
        return beginnings([...new Set(real.flatMap((found) => found._tag === "Some" ? [found.value] : []))])
      }
      const folder = yield* resolveWithin(path, within)
      return yield* foldersIn(folder, (real) => isWithin(real, within) && allowed.allows(real))
    }
  )

  return Workspace.of({ at, folders })
})
