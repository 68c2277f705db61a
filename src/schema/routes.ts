/**
 * routes: every way in over HTTP, in one table: method, path, what it takes, needs and answers.
 *
 * The relay's answers (`server/httpRoutes.ts`), what pages of other origins may send, the OpenAPI document and the list
 * in docs/protocol.md are made of it. A route without a scope, or without somebody who answers it, does not compile.
 */
import type { Schema } from "effect"
import { CommitRequest, StageRequest } from "./CommitRequest.js"
import { PushAnswer, PushSubscription } from "./PushSubscription.js"
import { NewSchedule, ScheduleChange } from "./SchedulePlan.js"
import { type Scope, scopes } from "./Scope.js"
import { longestTitle, SessionChange } from "./SessionChange.js"
import { Share } from "./Share.js"

export type Json = { readonly [name: string]: unknown }

/** Foreign client protocols the relay can serve (`--fronts`). */
export const frontNames = ["acp", "chat", "agui", "mcp"] as const
export type FrontName = (typeof frontNames)[number]

/** What is asked behind the `?`. */
export interface Query {
  readonly about: string
  /** Default: any text. */
  readonly schema?: Json
}

export interface RouteAnswer {
  readonly about: string
  /** Default `application/json`; none if there is no `schema`. */
  readonly type?: string
  readonly schema?: Json
  /** Of a stream: what each of its events holds. */
  readonly each?: Json
}

export interface Route {
  /** `GET` answers `HEAD`, too. */
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE"
  /** `{name}` stands for one segment of it. */
  readonly path: `/${string}`
  /** What is needed; `public` asks nobody who they are. */
  readonly scope: Scope | "public"
  /** `sessions`: it keeps to the sessions a token is limited to. `relay`: tokens with such a limit are refused. */
  readonly reach: "relay" | "sessions"
  /** Only where this one is served. */
  readonly front?: FrontName
  /** A sentence. */
  readonly summary: string
  readonly query?: Readonly<Record<string, Query>>
  readonly body?: Schema.Top | Json
  /** Default `application/json`. */
  readonly bodyType?: string
  /** Headers a page of an allowed origin may send besides `authorization` and `content-type`. */
  readonly headers?: ReadonlyArray<string>
  /** By status. What is the same everywhere (401, 403, 429) is left out. */
  readonly answers: Readonly<Record<number, RouteAnswer>>
}

const ref = (name: string): Json => ({ $ref: `#/components/schemas/${name}` })
const object = (properties: Json, required: ReadonlyArray<string> = Object.keys(properties)): Json => ({
  type: "object",
  required,
  properties
})
const list = (items: Json): Json => ({ type: "array", items })
const text: Json = { type: "string" }
const whole = (more: Json = {}): Json => ({ type: "integer", ...more })

/** Refused, or not there: `text` says why and what to do, `code` is for programs. */
export const refusal = (about: string): RouteAnswer => ({
  about,
  schema: object({ text, code: text }, ["text"])
})
/** The same for pages that show it as it is. */
const refusalText = (about: string): RouteAnswer => ({ about, type: "text/plain", schema: text })
const uiMessageStream = (about: string): RouteAnswer => ({
  about,
  type: "text/event-stream",
  schema: text,
  each: { type: "object", description: "A chunk of the AI SDK's UI message stream.", required: ["type"] }
})
const aguiInput: Json = {
  type: "object",
  description: "AG-UI's RunAgentInput; the thread is the session.",
  required: ["threadId", "runId", "messages"],
  properties: {
    threadId: text,
    runId: text,
    messages: list({ type: "object" }),
    state: { type: "object" },
    resume: list({ type: "object" }),
    forwardedProps: {
      type: "object",
      description: "`relay` may have `tool`, `folder`, `model`, `permission_mode`, `when` and `stop`."
    }
  }
}
const aguiAnswers: Readonly<Record<number, RouteAnswer>> = {
  200: {
    about: "What the agent does, until its turn ends or waits for a person.",
    type: "text/event-stream",
    schema: text,
    each: { type: "object", description: "An event of AG-UI.", required: ["type"] }
  },
  400: refusal("The body is not what it should be, or holds what the agent cannot be given."),
  415: refusal("The body is not JSON.")
}
const pushListed: Json = object({
  id: text,
  created_at: { type: "number" },
  expires_at: { type: "number" }
})
const noSession = refusal("There is no such session.")
const noFile = refusal("There is no such session, or no such file or folder in its folder.")
const notShown = refusal(
  "A token that may not do this, or what is not shown: git's own files, the relay's, what leads elsewhere."
)
const noGit = refusal("There is no git repository, or not as things are now, and why.")
const fileQuery: Query = { about: "From the session's folder, with `/` between." }
const change: Json = { enum: ["added", "changed", "deleted", "renamed", "copied", "type_changed"] }
const changesTold: Json = object({
  repository: { type: "boolean", description: "The folder lies in a git repository." },
  head: { type: "string", description: "The last commit; absent if there is none." },
  branch: { type: "string", description: "Absent when none is checked out." },
  under_way: { enum: ["merge", "rebase", "cherry-pick", "revert"] },
  against: { type: "string", description: "The commit they are compared with." },
  branches: list(text),
  files: list(object({
    path: text,
    from: { type: "string", description: "Its name before." },
    staged: change,
    unstaged: change,
    untracked: { type: "boolean" },
    conflict: { type: "boolean" }
  }, ["path"])),
  truncated: { type: "boolean" }
}, ["repository", "branches", "files"])
const noNative = refusal("There is no such conversation, or none in a folder this relay may use.")
const day = (about: string): Query => ({ about, schema: { type: "string", format: "date" } })

const isRoute = <const R extends Route>(route: R): R => route

const contract = <const Path extends `/${string}`>(path: Path, summary: string) =>
  isRoute({
    method: "GET",
    path,
    scope: "view",
    reach: "sessions",
    summary,
    answers: { 200: { about: summary, schema: { type: "object" } } }
  })

export const routes = {
  hello: isRoute({
    method: "GET",
    path: "/",
    scope: "view",
    reach: "sessions",
    summary: "The console, where it was built; else what this is.",
    answers: { 200: { about: "A page, or a text.", schema: { type: "object" } } }
  }),
  isAlive: isRoute({
    method: "GET",
    path: "/healthz",
    scope: "public",
    reach: "sessions",
    summary: "The process answers.",
    answers: { 200: { about: "It does.", schema: object({ status: text }) } }
  }),
  isReady: isRoute({
    method: "GET",
    path: "/readyz",
    scope: "public",
    reach: "sessions",
    summary: "Sessions can be written.",
    answers: {
      200: { about: "They can.", schema: object({ status: text }) },
      503: { about: "They cannot, and why.", schema: object({ reason: text }) }
    }
  }),
  whoAmI: isRoute({
    method: "GET",
    path: "/whoami",
    scope: "view",
    reach: "sessions",
    summary: "Whether this client may connect, as whom, and what it may do.",
    answers: {
      200: {
        about: "It may. Absent limits: none.",
        schema: object({
          admitted: { type: "boolean" },
          name: { type: "string", description: "Of the token." },
          scopes: list({ enum: scopes }),
          sessions: list(text),
          folders: list(text),
          agents: list(text),
          expires_at: { type: "number", description: "Unix time in seconds." },
          version: { type: "string", description: "Of the relay; not for tokens with limits." },
          machine: { type: "string", description: "What its machine is called; the same." }
        }, ["admitted", "scopes"])
      }
    }
  }),
  listAgents: isRoute({
    method: "GET",
    path: "/agents",
    scope: "view",
    reach: "sessions",
    summary: "Which agents can be used here, at most a minute old.",
    answers: {
      200: {
        about: "In the order they are offered.",
        schema: object({
          agents: list(ref("Agent")),
          folder: { type: "string", description: "Where a session works that names no folder, if it may." }
        }, ["agents"])
      }
    }
  }),
  listSessions: isRoute({
    method: "GET",
    path: "/sessions",
    scope: "view",
    reach: "sessions",
    summary: "Live sessions, then those that are kept.",
    answers: {
      200: { about: "The most recently active first.", schema: object({ sessions: list(ref("Session")) }) }
    }
  }),
  searchSessions: isRoute({
    method: "GET",
    path: "/search",
    scope: "view",
    reach: "sessions",
    summary:
      "Sessions in which all words of a query were said, or a tool was called with them. Secrets are cut out.",
    query: {
      q: { about: "Words, in any order and case; parts of words will do. At most 200 characters." },
      limit: {
        about: "Sessions at most.",
        schema: { type: "integer", minimum: 1, maximum: 100, default: 20 }
      }
    },
    answers: {
      200: {
        about:
          "The session that spoke last first. `complete` is false while old sessions are still being looked at.",
        schema: object({
          results: list(object({
            session: ref("Session"),
            hits: list(object({
              seq: whole(),
              ts: { type: "number" },
              turn: whole(),
              who: { enum: ["user", "agent", "tool"] },
              text: { type: "string", description: "The words around it." }
            }, ["seq", "ts", "who", "text"]))
          })),
          complete: { type: "boolean" }
        })
      },
      400: refusal("There is no `q`, or `limit` is none."),
      409: refusal("The relay keeps no sessions.")
    }
  }),
  forgetSession: isRoute({
    method: "DELETE",
    path: "/sessions/{session_id}",
    scope: "admin",
    reach: "sessions",
    summary: "Ends the session, if it is live, and removes all that is kept of it.",
    answers: {
      204: { about: "It is gone." },
      404: noSession,
      409: refusal("Another relay on the same state folder has it open.")
    }
  }),
  changeSession: isRoute({
    method: "PATCH",
    path: "/sessions/{session_id}",
    scope: "prompt",
    reach: "sessions",
    summary: "Names the session in the list, or puts it away. An empty title takes the name away.",
    body: SessionChange,
    answers: {
      204: { about: "It is done." },
      400: refusal(`The body is not what it should be; a title has at most ${longestTitle} characters.`),
      404: noSession
    }
  }),
  followSession: isRoute({
    method: "GET",
    path: "/sessions/{session_id}/events",
    scope: "view",
    reach: "sessions",
    summary: "A session's events as Server-Sent Events.",
    query: {
      after_seq: {
        about: "Only events with a greater seq. A reconnecting EventSource says it by itself.",
        schema: whole({ minimum: 0, default: 0 })
      }
    },
    answers: {
      200: {
        about: "Each event as `data`, its seq as `id`; live ones follow until the session ends.",
        type: "text/event-stream",
        schema: text,
        each: ref("Event")
      },
      404: noSession
    }
  }),
  listCheckpoints: isRoute({
    method: "GET",
    path: "/sessions/{session_id}/checkpoints",
    scope: "prompt",
    reach: "sessions",
    summary: "The turns of a live session one can go back to before.",
    answers: {
      200: {
        about: "The oldest first; at most the last 200 turns.",
        schema: object({
          checkpoints: list(ref("Checkpoint")),
          conversation: { type: "boolean", description: "The agent's conversation can go back, too." },
          in_repository: {
            type: "boolean",
            description: "The states lie in the git repository of the folder, else with the relay."
          },
          reason: { type: "string", description: "Why no states of files are kept." },
          undo: {
            description: "What `undo_rewind` takes back.",
            ...object({ rewind_id: text, turn: whole(), at: { type: "number" } })
          }
        }, ["checkpoints", "conversation"])
      },
      404: refusal("There is no such session, or it is not live: open it first.")
    }
  }),
  previewRewind: isRoute({
    method: "GET",
    path: "/sessions/{session_id}/checkpoints/{turn}",
    scope: "prompt",
    reach: "sessions",
    summary: "What going back to before a turn would change. Nothing is changed.",
    answers: {
      200: {
        about: "The first 500 files.",
        schema: object({
          turn: whole(),
          files: list(object({
            path: text,
            change: { enum: ["added", "changed", "deleted"], description: "What going back does to it." },
            added: { type: "integer", description: "Lines; absent for what is no text." },
            removed: whole()
          }, ["path", "change"])),
          files_changed: whole({ description: "How many there are in all." }),
          conflicts: {
            ...list(text),
            description:
              "Files somebody else than the agent has changed since, or whose present content is kept "
              + "nowhere: only `force` goes over them."
          },
          left_out: list(ref("LeftOut"))
        })
      },
      404: refusal("There is no such session, or it is not live: open it first."),
      409: refusal("Nothing was kept before this turn, and why.")
    }
  }),
  listFolders: isRoute({
    method: "GET",
    path: "/folders",
    scope: "prompt",
    reach: "sessions",
    summary: "The folders in one, to choose where a session works; without `path`, where one may begin.",
    query: { path: { about: "On the relay's machine; `~` is its home." } },
    answers: {
      200: {
        about: "By name, at most 2,000.",
        schema: object({
          folder: { type: "string", description: "Absolute; absent without `path`." },
          parent: { type: "string", description: "Absent where one may not go further up." },
          folders: list(object({
            name: text,
            path: text,
            hidden: { type: "boolean", description: "Its name begins with a dot." },
            repository: { type: "boolean", description: "A git repository begins there." }
          }, ["name", "path"])),
          truncated: { type: "boolean" }
        }, ["folders"])
      },
      404: refusal("There is no such folder.")
    }
  }),
  listFiles: isRoute({
    method: "GET",
    path: "/sessions/{session_id}/files",
    scope: "view",
    reach: "sessions",
    summary:
      "What lies in a folder of a session's folder, one level; a token for single sessions needs `prompt`.",
    query: { path: { about: "From the session's folder; default that folder." } },
    answers: {
      200: {
        about: "Folders first, then by name, at most 2,000.",
        schema: object({
          path: text,
          entries: list(object({
            name: text,
            kind: { enum: ["folder", "file", "link", "other"] },
            leads_to: {
              enum: ["folder", "file"],
              description: "Of a link that does not lead out of the folder."
            },
            size: whole({ description: "Bytes; of files." }),
            modified_at: { type: "number", description: "Unix time in seconds." },
            hidden: { type: "boolean", description: "Its name begins with a dot." },
            unnameable: { type: "boolean", description: "Its name is no text: it cannot be asked for." }
          }, ["name", "kind"])),
          truncated: { type: "boolean" }
        }, ["path", "entries"])
      },
      400: refusal("The path is none, or no folder."),
      403: notShown,
      404: noFile
    }
  }),
  readFile: isRoute({
    method: "GET",
    path: "/sessions/{session_id}/file",
    scope: "view",
    reach: "sessions",
    summary: "A part of a file as text, or that it is none; a token for single sessions needs `prompt`.",
    query: {
      path: fileQuery,
      offset: { about: "The byte to begin with.", schema: whole({ minimum: 0, default: 0 }) },
      length: {
        about: "Bytes at most.",
        schema: whole({ minimum: 1, maximum: 1024 * 1024, default: 256 * 1024 })
      }
    },
    answers: {
      200: {
        about: "The part ends with a whole character.",
        schema: object({
          path: text,
          size: whole({ description: "Bytes of the whole file." }),
          modified_at: { type: "number" },
          offset: whole(),
          text: { type: "string", description: "Absent for what is no text." },
          binary: { type: "boolean" },
          next_offset: whole({ description: "Where to go on; absent at the end." })
        }, ["path", "size", "modified_at", "offset"])
      },
      400: refusal("The path is none, or no ordinary file."),
      403: notShown,
      404: noFile
    }
  }),
  sendFile: isRoute({
    method: "GET",
    path: "/sessions/{session_id}/raw",
    scope: "view",
    reach: "sessions",
    summary: "A file's bytes, whole or a range of them; a token for single sessions needs `prompt`.",
    query: { path: fileQuery },
    answers: {
      200: {
        about:
          "At most 512 MiB. `content-type` is that of a PNG, JPEG, GIF, WebP, AVIF, BMP or icon, else `application/octet-stream`; it is always a download, never a page.",
        type: "application/octet-stream",
        schema: { type: "string", format: "binary" }
      },
      206: {
        about: "What the header `range` (`bytes=0-1023`, one range) asked for.",
        type: "application/octet-stream",
        schema: { type: "string", format: "binary" }
      },
      400: refusal("The path is none, or no ordinary file."),
      403: notShown,
      404: noFile,
      413: refusal("It is larger: ask for a part with `range`."),
      416: refusal("The file ends before the range begins.")
    }
  }),
  findFiles: isRoute({
    method: "GET",
    path: "/sessions/{session_id}/find",
    scope: "view",
    reach: "sessions",
    summary:
      "Files of a session's folder by words of their names; a token for single sessions needs `prompt`.",
    query: {
      q: { about: "Words in any order and case, or some of their letters. At most 200 characters." },
      limit: { about: "Files at most.", schema: whole({ minimum: 1, maximum: 100, default: 20 }) }
    },
    answers: {
      200: {
        about:
          "The best first. What git ignores is left out. `complete` is false where there are too many files to look at.",
        schema: object({ files: list(text), complete: { type: "boolean" } })
      },
      400: refusal("`limit` is none."),
      403: notShown,
      404: noSession
    }
  }),
  listChanges: isRoute({
    method: "GET",
    path: "/sessions/{session_id}/changes",
    scope: "view",
    reach: "sessions",
    summary:
      "A session's folder as git sees it; a token for single sessions needs `prompt`. Nothing of the repository runs.",
    query: {
      against: { about: "A branch, tag or commit to compare with; default the last commit and the index." }
    },
    answers: {
      200: {
        about: "At most 2,000 files of the session's folder.",
        schema: changesTold
      },
      403: notShown,
      404: refusal("There is no such session, or no such commit."),
      409: noGit
    }
  }),
  diffFile: isRoute({
    method: "GET",
    path: "/sessions/{session_id}/diff",
    scope: "view",
    reach: "sessions",
    summary: "How a file differs, as a unified diff; a token for single sessions needs `prompt`.",
    query: {
      path: fileQuery,
      from: { about: "Its name before, if it was renamed." },
      against: {
        about:
          "`unstaged` (default): on disk from the index; `staged`: in the index from the last commit; else a branch, tag or commit."
      }
    },
    answers: {
      200: {
        about: "`diff` is empty for what is no text, or above 1 MiB.",
        schema: object({
          path: text,
          diff: text,
          binary: { type: "boolean" },
          too_large: { type: "boolean" }
        }, ["path", "diff"])
      },
      400: refusal("The path is none."),
      403: notShown,
      404: noFile,
      409: noGit
    }
  }),
  stageFiles: isRoute({
    method: "POST",
    path: "/sessions/{session_id}/stage",
    scope: "prompt",
    reach: "sessions",
    summary:
      "Stages files of a session's folder as they are on disk, or takes them out again. Nothing of the repository runs.",
    body: StageRequest,
    answers: {
      200: { about: "The changes as they are then.", schema: changesTold },
      400: refusal("The body is not what it should be, or a path is none."),
      403: notShown,
      404: noSession,
      409: refusal("There is no git repository, or a program of the repository's would be needed.")
    }
  }),
  commitFiles: isRoute({
    method: "POST",
    path: "/sessions/{session_id}/commit",
    scope: "prompt",
    reach: "sessions",
    summary:
      "Commits files of a session's folder as they are on disk, or what is staged. Hooks, filters and signing need `terminal`.",
    body: CommitRequest,
    answers: {
      201: {
        about: "It is committed.",
        schema: object({
          commit: text,
          branch: text,
          files: whole({ description: "How many it changes." }),
          ran: { ...list(text), description: "Programs of the repository's that ran." }
        }, ["commit", "files", "ran"])
      },
      400: refusal("The body is not what it should be."),
      403: refusal("It would run programs, and the token may not; or it may not prompt."),
      404: noSession,
      409: refusal("There is nothing to commit, or not as things are now, and why.")
    }
  }),
  attachFile: isRoute({
    method: "POST",
    path: "/sessions/{session_id}/attachments",
    scope: "prompt",
    reach: "sessions",
    summary: "Keeps a file for the session's agent: with the relay's own, or in the session's folder.",
    query: {
      name: { about: "What it is called; it is kept under a safe one." },
      into: {
        about: "`folder`: under `attachments/` in the session's folder.",
        schema: { enum: ["state", "folder"], default: "state" }
      }
    },
    body: { type: "string", format: "binary", description: "At most 50 MiB." },
    bodyType: "application/octet-stream",
    answers: {
      201: {
        about: "It is kept until the session is removed; `path` is for the agent.",
        schema: object({ name: text, path: text, size: whole() })
      },
      400: refusal("There is no name, or the file ended early."),
      404: noSession,
      409: refusal("It cannot be kept there, and where it can."),
      413: refusal("It is too large, or the session has too many."),
      415: refusal("The body is not `application/octet-stream`.")
    }
  }),
  listSchedules: isRoute({
    method: "GET",
    path: "/schedules",
    scope: "view",
    reach: "relay",
    summary: "Prompts for later, of one session or of all.",
    query: { session_id: { about: "Only of this session." } },
    answers: { 200: { about: "The oldest first.", schema: object({ schedules: list(ref("Schedule")) }) } }
  }),
  addSchedule: isRoute({
    method: "POST",
    path: "/schedules",
    scope: "prompt",
    reach: "relay",
    summary:
      "Gives a session a prompt later: once (`at`), or again and again (`every`). It need not be live.",
    body: NewSchedule,
    answers: {
      201: { about: "It is kept.", schema: ref("Schedule") },
      400: refusal("The body is not what it should be."),
      404: noSession
    }
  }),
  changeSchedule: isRoute({
    method: "PATCH",
    path: "/schedules/{schedule_id}",
    scope: "prompt",
    reach: "relay",
    summary: "Pauses a schedule, or goes on with it.",
    body: ScheduleChange,
    answers: {
      200: { about: "As it is now.", schema: ref("Schedule") },
      400: refusal("The body is not what it should be."),
      404: refusal("There is no such schedule.")
    }
  }),
  removeSchedule: isRoute({
    method: "DELETE",
    path: "/schedules/{schedule_id}",
    scope: "prompt",
    reach: "relay",
    summary: "Removes a schedule; a run that has begun goes on.",
    answers: { 204: { about: "It is gone." }, 404: refusal("There is no such schedule.") }
  }),
  shareSession: isRoute({
    method: "POST",
    path: "/sessions/{session_id}/share",
    scope: "admin",
    reach: "sessions",
    summary:
      "A token for this session alone, to be handed on as a link: the console's address with `fragment` behind it.",
    body: Share,
    answers: {
      201: {
        about: "The token. It is shown now and never again.",
        schema: object({
          name: text,
          token: text,
          fragment: text,
          scopes: list({ enum: scopes }),
          expires_at: { type: "number" }
        })
      },
      400: refusal("The body is not what it should be."),
      404: noSession
    }
  }),
  pairDevice: isRoute({
    method: "POST",
    path: "/devices",
    scope: "admin",
    reach: "relay",
    summary:
      "A token for another device of yours: one of `addresses` with `fragment` behind it, as a link or a QR code, opens the console there.",
    body: Share,
    answers: {
      201: {
        about:
          "The token. It is shown now and never again. Without `addresses` no other machine reaches the relay.",
        schema: object({
          name: text,
          token: text,
          fragment: text,
          scopes: list({ enum: scopes }),
          expires_at: { type: "number" },
          addresses: list(text)
        })
      },
      400: refusal("The body is not what it should be.")
    }
  }),
  listTokens: isRoute({
    method: "GET",
    path: "/tokens",
    scope: "admin",
    reach: "relay",
    summary: "The named tokens, without the tokens themselves.",
    answers: {
      200: { about: "Those whose time is not over.", schema: object({ tokens: list(ref("Token")) }) }
    }
  }),
  revokeToken: isRoute({
    method: "DELETE",
    path: "/tokens/{name}",
    scope: "admin",
    reach: "relay",
    summary: "Revokes a token and those made with it; their connections end.",
    answers: { 204: { about: "It is revoked." }, 404: refusal("There is no such token.") }
  }),
  getPush: isRoute({
    method: "GET",
    path: "/push",
    scope: "view",
    reach: "sessions",
    summary: "The relay's public key for Web Push, and the browsers of yours that are told.",
    answers: {
      200: {
        about: "`key` is what `PushManager.subscribe` takes as `applicationServerKey`.",
        schema: object({ key: text, subscriptions: list(pushListed) })
      }
    }
  }),
  subscribePush: isRoute({
    method: "POST",
    path: "/push/subscriptions",
    scope: "view",
    reach: "sessions",
    summary:
      "A browser that is told when a session waits or a long turn has ended, until your token is gone; the same again renews it.",
    body: PushSubscription,
    answers: {
      201: { about: "It is kept.", schema: pushListed },
      400: refusal("It is none, or its push service cannot be used.")
    }
  }),
  unsubscribePush: isRoute({
    method: "DELETE",
    path: "/push/subscriptions/{subscription_id}",
    scope: "view",
    reach: "sessions",
    summary: "A browser of yours is not told any more.",
    answers: { 204: { about: "It is gone." }, 404: refusal("You have none of this name.") }
  }),
  answerPush: isRoute({
    method: "POST",
    path: "/push/answer",
    // The ticket says who it is, and what for.
    scope: "public",
    reach: "sessions",
    summary: "Answers the question a notification told of, with the ticket that came with it.",
    body: PushAnswer,
    answers: {
      204: { about: "It is settled." },
      400: refusal("The body is not what it should be."),
      410: refusal("It was answered already, or is not asked any more; a ticket works once.")
    }
  }),
  listNativeSessions: isRoute({
    method: "GET",
    path: "/native-sessions",
    scope: "view",
    reach: "relay",
    summary: "Conversations people had with agents in a terminal.",
    query: {
      tool: { about: "Only of this agent." },
      folder: { about: "Only of this folder and those below." },
      q: { about: "Words that stand in title, first prompt, folder, branch, agent or id." },
      limit: { about: "How many, at most 200.", schema: whole({ minimum: 1, maximum: 200, default: 50 }) },
      cursor: { about: "What `next_cursor` said." }
    },
    answers: {
      200: {
        about: "The most recently written first; only of folders the relay may use.",
        schema: object({
          sessions: list(ref("NativeSession")),
          next_cursor: { type: "string", description: "For `cursor`, if there are more." },
          agents: {
            description: "What came of asking those agents that tell their conversations themselves.",
            ...list(object({
              tool: { type: "string" },
              state: {
                enum: ["ok", "partial", "failed"],
                description: "`partial`: it has not answered yet, ask again."
              },
              text: { type: "string", description: "Why it failed." }
            }, ["tool", "state"]))
          }
        }, ["sessions"])
      },
      404: refusal("The folder does not exist, or is not allowed.")
    }
  }),
  getNativeSession: isRoute({
    method: "GET",
    path: "/native-sessions/{tool}/{native_session_id}",
    scope: "view",
    reach: "relay",
    summary: "One conversation, with all that can be counted.",
    answers: { 200: { about: "It.", schema: ref("NativeSession") }, 404: noNative }
  }),
  readNativeSession: isRoute({
    method: "GET",
    path: "/native-sessions/{tool}/{native_session_id}/events",
    scope: "view",
    reach: "relay",
    summary: "What was said in it: the last turns, or those before a place. The agent is not started.",
    query: {
      before: { about: "What `before` of another page said." },
      limit: { about: "Turns at most.", schema: whole({ minimum: 1, maximum: 200, default: 20 }) }
    },
    answers: {
      200: {
        about: "Oldest first; events as on the socket, without `seq` and `session_id`.",
        schema: object({
          events: list({ type: "object" }),
          before: {
            type: "string",
            description: "Where the page before this one ends; absent at the beginning."
          }
        }, ["events"])
      },
      404: noNative
    }
  }),
  getUsage: isRoute({
    method: "GET",
    path: "/usage",
    scope: "view",
    reach: "relay",
    summary: "What sessions have used, summed by one dimension, the largest first.",
    query: {
      by: {
        about: "The dimension.",
        schema: { enum: ["session", "folder", "token", "agent", "model", "day"], default: "session" }
      },
      since: day("A day, included."),
      until: day("A day, included.")
    },
    answers: {
      200: {
        about: "US dollars, tokens, turns and minutes.",
        schema: object({ by: text, usage: list(ref("Usage")) })
      },
      400: refusal("A dimension or a day that is none.")
    }
  }),
  getMetrics: isRoute({
    method: "GET",
    path: "/metrics",
    scope: "view",
    reach: "relay",
    summary: "What is counted, as Prometheus reads it.",
    answers: { 200: { about: "The text format 0.0.4.", type: "text/plain", schema: text } }
  }),
  chat: isRoute({
    method: "POST",
    path: "/chat/{tool}",
    scope: "prompt",
    reach: "sessions",
    front: "chat",
    summary: "A prompt of an AI SDK chat, or its answers to what the agent asked.",
    body: {
      type: "object",
      description: "As the SDK's transport sends it; the chat's `id` is the session's.",
      required: ["id", "messages"],
      properties: {
        id: text,
        messages: list({ type: "object" }),
        folder: text,
        model: text,
        permission_mode: text,
        when: { enum: ["queue", "steer", "interrupt"] }
      }
    },
    answers: {
      200: uiMessageStream("What the agent does, until its turn ends or waits for a person."),
      400: refusalText("The body is not what it should be, or holds what the agent cannot be given."),
      403: refusalText("The folder, or this prompt, is not allowed."),
      404: refusalText("There is no such folder, or no such session to go on with."),
      413: refusalText("The body is too large."),
      415: refusalText("The body is not JSON."),
      503: refusalText("The relay has too much to do.")
    }
  }),
  resumeChat: isRoute({
    method: "GET",
    path: "/chat/{tool}/{id}/stream",
    scope: "view",
    reach: "sessions",
    front: "chat",
    summary: "The message an AI SDK chat's agent is at, from its beginning.",
    answers: {
      200: uiMessageStream("Until the turn ends or waits for a person."),
      204: { about: "No turn runs." }
    }
  }),
  stopChat: isRoute({
    method: "POST",
    path: "/chat/{tool}/{id}/stop",
    scope: "prompt",
    reach: "sessions",
    front: "chat",
    summary: "Interrupts the turn that runs in an AI SDK chat; leaving its stream does not.",
    answers: { 200: { about: "Whether one ran.", schema: object({ stopped: { type: "boolean" } }) } }
  }),
  answerChat: isRoute({
    method: "POST",
    path: "/chat/{tool}/{id}/answer",
    scope: "approve",
    reach: "sessions",
    front: "chat",
    summary: "Answers what the agent of an AI SDK chat asked, with more than yes or no.",
    body: {
      type: "object",
      description: "The fields of a `permission_response`.",
      required: ["request_id"],
      properties: { request_id: text, behavior: { enum: ["allow", "deny"] }, message: text }
    },
    answers: {
      204: { about: "It is settled." },
      400: refusalText("Nothing of this name waits for an answer, or the answer does not fit."),
      404: refusalText("There is no such session."),
      413: refusalText("The body is too large."),
      415: refusalText("The body is not JSON.")
    }
  }),
  listChatMessages: isRoute({
    method: "GET",
    path: "/chat/{tool}/{id}/messages",
    scope: "view",
    reach: "sessions",
    front: "chat",
    summary: "All that was said in a session, as the AI SDK's messages.",
    answers: {
      200: { about: "Oldest first; none if there is no such session.", schema: list({ type: "object" }) }
    }
  }),
  aguiInfo: isRoute({
    method: "GET",
    path: "/agui/info",
    scope: "view",
    reach: "sessions",
    front: "agui",
    summary: "What CopilotKit's pages ask their runtime first: which agents there are.",
    answers: { 200: { about: "The agents that can be used here.", schema: { type: "object" } } }
  }),
  agui: isRoute({
    method: "POST",
    path: "/agui",
    scope: "prompt",
    reach: "sessions",
    front: "agui",
    summary: "All that CopilotKit's pages ask, by one path: `method`, `params` and `body`.",
    body: object({ method: text, params: { type: "object" }, body: { type: "object" } }, ["method"]),
    answers: aguiAnswers
  }),
  runAgui: isRoute({
    method: "POST",
    path: "/agui/{tool}",
    scope: "prompt",
    reach: "sessions",
    front: "agui",
    summary: "A run of an AG-UI client: a prompt, or its answers to what the agent asked.",
    body: aguiInput,
    answers: aguiAnswers
  }),
  runAguiAgent: isRoute({
    method: "POST",
    path: "/agui/agent/{agent}/run",
    scope: "prompt",
    reach: "sessions",
    front: "agui",
    summary: "The same, as CopilotKit's pages ask it.",
    body: aguiInput,
    answers: aguiAnswers
  }),
  connectAguiAgent: isRoute({
    method: "POST",
    path: "/agui/agent/{agent}/connect",
    scope: "view",
    reach: "sessions",
    front: "agui",
    summary: "A whole thread as runs, and the one that goes on as it goes.",
    body: aguiInput,
    answers: aguiAnswers
  }),
  stopAguiAgent: isRoute({
    method: "POST",
    path: "/agui/agent/{agent}/stop/{thread}",
    scope: "prompt",
    reach: "sessions",
    front: "agui",
    summary: "Interrupts the turn that runs in a thread; leaving its stream does not.",
    answers: { 200: { about: "Whether one ran.", schema: object({ stopped: { type: "boolean" } }) } }
  }),
  mcp: isRoute({
    method: "POST",
    path: "/mcp",
    scope: "prompt",
    reach: "sessions",
    front: "mcp",
    summary: "The Model Context Protocol: sessions with agents, as tools for agents.",
    body: { type: "object", description: "A message of JSON-RPC 2.0.", required: ["jsonrpc"] },
    headers: ["mcp-protocol-version", "mcp-method", "mcp-name", "mcp-session-id"],
    answers: {
      200: { about: "The answer.", schema: { type: "object" } },
      202: { about: "A notification was taken." },
      400: {
        about: "The message is none, or of a version that is not spoken here.",
        schema: { type: "object" }
      },
      404: { about: "The method is not known.", schema: { type: "object" } },
      415: refusal("The body is not JSON.")
    }
  }),
  issueTicket: isRoute({
    method: "POST",
    path: "/ticket",
    scope: "view",
    reach: "sessions",
    summary: "Lets one connection in, once, instead of the token: the handshake's `ticket`.",
    answers: {
      200: {
        about: "The ticket, and the seconds it is good for.",
        schema: object({ ticket: text, expires_in: { type: "number" } })
      }
    }
  }),
  getJsonSchema: contract("/schema.json", "Every frame of the WebSocket as JSON Schema."),
  getAsyncApi: contract("/asyncapi.json", "The WebSocket as AsyncAPI."),
  getOpenApi: contract("/openapi.json", "This document.")
}
export type Routes = typeof routes
/** `operationId` in the OpenAPI document. */
export type RouteId = keyof Routes

/** A way in that is a WebSocket: what is needed to connect. Commands have scopes of their own (`commandScopes.ts`). */
export interface SocketRoute {
  readonly path: `/${string}`
  readonly scope: Scope
  readonly reach: "relay" | "sessions"
  readonly summary: string
}

const isSocket = <const R extends SocketRoute>(route: R): R => route

/** The relay's own protocol is spoken at every path that is not another's. */
export const socketRoutes = {
  session: isSocket({
    path: "/",
    scope: "view",
    reach: "sessions",
    summary: "The session protocol: one JSON object per text frame."
  }),
  acp: isSocket({
    path: "/acp",
    scope: "prompt",
    reach: "sessions",
    summary: "The Agent Client Protocol, for editors: one message of JSON-RPC per text frame."
  })
}
export type SocketRouteId = keyof typeof socketRoutes
