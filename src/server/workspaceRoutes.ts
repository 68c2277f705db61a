/**
 * workspaceRoutes: a session's folder over HTTP: its files, its git status, and files attached for the agent.
 *
 * This works for sessions that are not live, too. Reading needs the scope `view`. A token limited to certain sessions, such as
 * a link for watching one, was given for a conversation and not for all files beside it, so it needs `prompt`.
 */
import { Effect } from "effect"
import {
  CommitRequest,
  longestCommitMessage,
  mostCommitFiles,
  StageRequest
} from "../schema/CommitRequest.js"
import type { SessionId } from "../schema/index.js"
import { Audit } from "../services/access/Audit.js"
import { demand, may, outside, Principal } from "../services/access/Principal.js"
import { SessionNotFound } from "../services/journal/Journal.js"
import { Sender } from "../services/session/Sender.js"
import { SessionRegistry } from "../services/session/SessionRegistry.js"
import type { RelayError } from "../services/session/toErrorEvent.js"
import { Workspace, type WorkspaceFolder } from "../services/workspace/Workspace.js"
import type { WorkspaceRefused } from "../services/workspace/WorkspaceRefused.js"
import { type Answer, type Call, numberIn, readBody, Refused, sendJson, type Served, wrong } from "./Call.js"

const statuses = { missing: 404, forbidden: 403, wrong: 400, conflict: 409, too_large: 413 } as const
const codes = {
  missing: "not_found",
  forbidden: "forbidden",
  wrong: "bad_command",
  conflict: "conflict",
  too_large: "too_large"
} as const
const toRefused = ({ reason, why }: WorkspaceRefused) =>
  new Refused({ status: statuses[why], code: codes[why], reason })

type Failure = RelayError | Refused | WorkspaceRefused

/** Makes an answer about a session's folder. */
export const about = <Path extends `/sessions/{session_id}/${string}`>(
  answer: (
    here: WorkspaceFolder,
    call: Call<Path>,
    session_id: SessionId
  ) => Effect.Effect<void, Failure, Served>
): Answer<Path> =>
(call) =>
  Effect.gen(function*() {
    // Each of these paths names a session.
    const { session_id } = call.params as { readonly session_id: string }
    const line = yield* (yield* SessionRegistry).listing(session_id)
    if (line === undefined) return yield* new SessionNotFound({ session_id })
    const principal = yield* Principal
    if (principal.limits?.sessions !== undefined) {
      yield* demand(principal, "prompt", "reading the files of a shared session")
    }
    // The folder may lead elsewhere since.
    const here = yield* (yield* Workspace).at(line.folder, principal.limits?.folders)
    yield* answer(here, call, line.session_id)
  }).pipe(Effect.catchTag("WorkspaceRefused", (refused) => Effect.fail(toRefused(refused))))

export const pathIn = (query: URLSearchParams) => {
  const path = query.get("path")
  return path === null || path === ""
    ? wrong("name a file relative to the session's folder, such as `?path=src/main.ts`")
    : Effect.succeed(path)
}

export const listFolders: Answer<"/folders"> = ({ query, response }) =>
  Effect.gen(function*() {
    const principal = yield* Principal
    // Such a token opens no sessions, so it needs no list of folders.
    if (principal.limits?.sessions !== undefined) return yield* outside(principal)
    const listing = yield* (yield* Workspace).folders(
      query.get("path") || undefined,
      principal.limits?.folders
    )
    yield* sendJson(response, 200, listing)
  }).pipe(Effect.catchTag("WorkspaceRefused", (refused) => Effect.fail(toRefused(refused))))

export const listFiles = about<"/sessions/{session_id}/files">((here, { query, response }) =>
  Effect.flatMap(here.list(query.get("path") ?? ""), (listing) => sendJson(response, 200, listing))
)

export const readFile = about<"/sessions/{session_id}/file">(
  Effect.fnUntraced(function*(here, { query, response }) {
    const path = yield* pathIn(query)
    const offset = yield* numberIn(query, "offset", 0, Number.MAX_SAFE_INTEGER)
    const length = yield* numberIn(query, "length", 1, 1024 * 1024)
    yield* sendJson(response, 200, yield* here.read(path, offset, length))
  })
)

export const findFiles = about<"/sessions/{session_id}/find">(
  Effect.fnUntraced(function*(here, { query, response }) {
    const limit = yield* numberIn(query, "limit", 1, 100)
    yield* sendJson(response, 200, yield* here.find((query.get("q") ?? "").slice(0, 200), limit ?? 20))
  })
)

export const listChanges = about<"/sessions/{session_id}/changes">((here, { query, response }) =>
  Effect.flatMap(
    here.changes(query.get("against") || undefined),
    (changes) => sendJson(response, 200, changes)
  )
)

export const diffFile = about<"/sessions/{session_id}/diff">(
  Effect.fnUntraced(function*(here, { query, response }) {
    const path = yield* pathIn(query)
    const against = query.get("against") || "unstaged"
    const diff = yield* here.diff(
      path,
      against === "staged" || against === "unstaged" ? { kind: against } : { kind: "commit", name: against },
      query.get("from") || undefined
    )
    yield* sendJson(response, 200, diff)
  })
)

/** Largest list of files to stage or commit, in bytes. */
const mostCommitBytes = 1024 * 1024

export const stageFiles = about<"/sessions/{session_id}/stage">(
  Effect.fnUntraced(function*(here, { request, response }, session_id) {
    const { files, staged } = yield* readBody(
      request,
      StageRequest,
      `send JSON with \`files\` (at most ${mostCommitFiles} paths from the session's folder) and \`staged\` (true or false)`,
      mostCommitBytes
    )
    const changes = yield* here.stage(files, staged)
    ;(yield* Audit).write("stage", yield* Sender, { session_id, files: files.length, staged })
    yield* sendJson(response, 200, changes)
  })
)

export const commitFiles = about<"/sessions/{session_id}/commit">(
  Effect.fnUntraced(function*(here, { request, response }, session_id) {
    const wanted = yield* readBody(
      request,
      CommitRequest,
      `send JSON with \`message\` (at most ${longestCommitMessage} characters), and optionally \`files\` (at most `
        + `${mostCommitFiles} paths from the session's folder) and \`hooks\` (true or false)`,
      mostCommitBytes
    )
    const { files, hooks, message } = wanted
    const made = yield* here.commit({ message, files, hooks, mayRun: may(yield* Principal, "terminal") })
    ;(yield* Audit).write("commit", yield* Sender, { session_id, ...made, message })
    yield* sendJson(response, 201, made)
  })
)

export const attachFile = about<"/sessions/{session_id}/attachments">(
  Effect.fnUntraced(function*(here, { query, request, response }, session_id) {
    if (!/^application\/octet-stream\b/i.test(request.headers["content-type"] ?? "")) {
      return yield* new Refused({
        status: 415,
        reason: "send the file's bytes, with content-type: application/octet-stream"
      })
    }
    const name = query.get("name") ?? ""
    const into = query.get("into") ?? "state"
    if (name === "") return yield* wrong("name the file, such as `?name=report.pdf`")
    if (into !== "state" && into !== "folder") return yield* wrong("`into` must be `state` or `folder`")
    const kept = yield* here.attach(session_id, name, request, into)
    ;(yield* Audit).write("attach", yield* Sender, { session_id, ...kept })
    yield* sendJson(response, 201, kept)
  })
)
