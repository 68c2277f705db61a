/**
 * routes: all HTTP routes in one table: method, path, parameters, scope and answers.
 *
 * The relay's answers (`server/httpRoutes.ts`), the CORS rules, the OpenAPI document and the list in docs/protocol.md are based
 * on it. A route without a scope or an answer does not compile.
 */
import type { Schema } from "effect"
import { CommitRequest, StageRequest } from "./CommitRequest.js"
import { PushAnswer, PushSubscription } from "./PushSubscription.js"
import { NewSchedule, ScheduleChange } from "./SchedulePlan.js"
import { type Scope, scopes } from "./Scope.js"
import { longestTitle, SessionChange } from "./SessionChange.js"
import { Share } from "./Share.js"

export type Json = { readonly [name: string]: unknown }

/** Other client protocols that the relay can serve (`--fronts`). */
export const frontNames = ["acp", "chat", "agui", "mcp"] as const
export type FrontName = (typeof frontNames)[number]

/** A query parameter. */
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
  /** For a stream: the schema of each event. */
  readonly each?: Json
}

export interface Route {
  /** `GET` answers `HEAD`, too. */
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE"
  /** `{name}` stands for one segment. */
  readonly path: `/${string}`
  /** The required scope; `public`: none, without authentication. */
  readonly scope: Scope | "public"
  /** `sessions`: the answer respects a token's limits. `relay`: tokens with limits are refused. */
  readonly reach: "relay" | "sessions"
  /** Only if this front is served. */
  readonly front?: FrontName
  /** A sentence. */
  readonly summary: string
  readonly query?: Readonly<Record<string, Query>>
  readonly body?: Schema.Top | Json
  /** Default `application/json`. */
  readonly bodyType?: string
  /** Headers that pages of allowed origins may send besides `authorization` and `content-type`. */
  readonly headers?: ReadonlyArray<string>
  /** Answers by status, without those common to all routes (401, 403, 429). */
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

/** A refusal: `text` says why and what to do, `code` is for programs. */
export const refusal = (about: string): RouteAnswer => ({
  about,
  schema: object({ text, code: text }, ["text"])
})
/** A refusal as plain text, for pages that show it as is. */
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
    about: "What the agent does, until its turn ends or it waits for a person.",
    type: "text/event-stream",
    schema: text,
    each: { type: "object", description: "An event of AG-UI.", required: ["type"] }
  },
  400: refusal("The body is invalid, or contains something that the agent does not support."),
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
  "The token may not do this, or the file is not shown: git's own files, the relay's, or links that lead outside."
)
const noGit = refusal(
  "There is no git repository, or its current state does not allow this; the text says why."
)
const fileQuery: Query = { about: "Relative to the session's folder, with `/` as separator." }
const change: Json = { enum: ["added", "changed", "deleted", "renamed", "copied", "type_changed"] }
const changesTold: Json = object({
  repository: { type: "boolean", description: "Whether the folder is in a git repository." },
  head: { type: "string", description: "The last commit; absent if there is none." },
  branch: { type: "string", description: "Absent if no branch is checked out." },
  under_way: { enum: ["merge", "rebase", "cherry-pick", "revert"] },
  against: { type: "string", description: "The commit they are compared with." },
  branches: list(text),
  files: list(object({
    path: text,
    from: { type: "string", description: "Its old name." },
    staged: change,
    unstaged: change,
    untracked: { type: "boolean" },
    conflict: { type: "boolean" }
  }, ["path"])),
  truncated: { type: "boolean" }
}, ["repository", "branches", "files"])
const noNative = refusal("There is no such conversation, or its folder is not allowed.")
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
    summary: "The console, if it was built; else a short description.",
    answers: { 200: { about: "A page, or a text.", schema: { type: "object" } } }
  }),
  isAlive: isRoute({
    method: "GET",
    path: "/healthz",
    scope: "public",
    reach: "sessions",
    summary: "Whether the process is alive.",
    answers: { 200: { about: "It does.", schema: object({ status: text }) } }
  }),
  isReady: isRoute({
    method: "GET",
    path: "/readyz",
    scope: "public",
    reach: "sessions",
    summary: "Sessions can be saved.",
    answers: {
      200: { about: "They can.", schema: object({ status: text }) },
      503: { about: "They cannot; the text says why.", schema: object({ reason: text }) }
    }
  }),
  whoAmI: isRoute({
    method: "GET",
    path: "/whoami",
    scope: "view",
    reach: "sessions",
    summary: "Whether this client may connect, its identity and its rights.",
    answers: {
      200: {
        about: "It may connect. Absent limits: none.",
        schema: object({
          admitted: { type: "boolean" },
          name: { type: "string", description: "The token's name." },
          scopes: list({ enum: scopes }),
          sessions: list(text),
          folders: list(text),
          agents: list(text),
          expires_at: { type: "number", description: "Unix time in seconds." },
          version: { type: "string", description: "The relay's version; not for tokens with limits." },
          machine: { type: "string", description: "The relay's host name; not for tokens with limits." }
        }, ["admitted", "scopes"])
      }
    }
  }),
  listAgents: isRoute({
    method: "GET",
    path: "/agents",
    scope: "view",
    reach: "sessions",
    summary: "The agents that can be used here; at most a minute old.",
    answers: {
      200: {
        about: "In the order they are offered.",
        schema: object({
          agents: list(ref("Agent")),
          folder: { type: "string", description: "The default folder of sessions, if it is allowed." }
        }, ["agents"])
      }
    }
  }),
  listSessions: isRoute({
    method: "GET",
    path: "/sessions",
    scope: "view",
    reach: "sessions",
    summary: "Live sessions, then saved ones; all of them, or a page.",
    query: {
      limit: { about: "Most sessions to return.", schema: { type: "integer", minimum: 1, maximum: 1000 } },
      offset: { about: "How many to skip.", schema: { type: "integer", minimum: 0, default: 0 } }
    },
    answers: {
      200: {
        about:
          "The most recently active first. `total`, with a page, counts all sessions. One that becomes active between two requests moves to the front.",
        schema: object({ sessions: list(ref("Session")), total: whole() }, ["sessions"])
      }
    }
  }),
  searchSessions: isRoute({
    method: "GET",
    path: "/search",
    scope: "view",
    reach: "sessions",
    summary: "Sessions whose messages or tool calls contain all words of a query. Secrets are removed.",
    query: {
      q: { about: "Words or parts of words, in any order and case. At most 200 characters." },
      limit: {
        about: "Most sessions to return.",
        schema: { type: "integer", minimum: 1, maximum: 100, default: 20 }
      }
    },
    answers: {
      200: {
        about:
          "The most recently active session first. `complete` is false while old sessions are still being indexed.",
        schema: object({
          results: list(object({
            session: ref("Session"),
            hits: list(object({
              seq: whole(),
              ts: { type: "number" },
              turn: whole(),
              who: { enum: ["user", "agent", "tool"] },
              text: { type: "string", description: "The match with some context." }
            }, ["seq", "ts", "who", "text"]))
          })),
          complete: { type: "boolean" }
        })
      },
      400: refusal("`q` is missing, or `limit` is not valid."),
      409: refusal("The relay does not save sessions.")
    }
  }),
  forgetSession: isRoute({
    method: "DELETE",
    path: "/sessions/{session_id}",
    scope: "admin",
    reach: "sessions",
    summary: "Ends the session if it is live, and deletes everything saved of it.",
    answers: {
      204: { about: "It was deleted." },
      404: noSession,
      409: refusal("Another relay on the same state folder has it open.")
    }
  }),
  changeSession: isRoute({
    method: "PATCH",
    path: "/sessions/{session_id}",
    scope: "prompt",
    reach: "sessions",
    summary: "Renames or archives the session. An empty title removes the title.",
    body: SessionChange,
    answers: {
      204: { about: "It is done." },
      400: refusal(`The body is not valid; a title has at most ${longestTitle} characters.`),
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
        about: "Only events with a greater seq. An EventSource sends it by itself when it reconnects.",
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
    summary: "The turns that a live session can be rewound to.",
    answers: {
      200: {
        about: "The oldest first; at most the last 200 turns.",
        schema: object({
          checkpoints: list(ref("Checkpoint")),
          conversation: {
            type: "boolean",
            description: "Whether the agent's conversation can be rewound, too."
          },
          in_repository: {
            type: "boolean",
            description: "Whether the states are in the folder's git repository, or with the relay."
          },
          reason: { type: "string", description: "Why file states are not saved." },
          undo: {
            description: "What `undo_rewind` would undo.",
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
    summary: "What rewinding to before a turn would change. Changes nothing.",
    answers: {
      200: {
        about: "The first 500 files.",
        schema: object({
          turn: whole(),
          files: list(object({
            path: text,
            change: { enum: ["added", "changed", "deleted"], description: "What the rewind does to it." },
            added: { type: "integer", description: "Lines; absent for files that are not text." },
            removed: whole()
          }, ["path", "change"])),
          files_changed: whole({ description: "The total number." }),
          conflicts: {
            ...list(text),
            description:
              "Files that somebody other than the agent has changed since, or whose current content is saved "
              + "nowhere: only `force` overwrites them."
          },
          left_out: list(ref("LeftOut"))
        })
      },
      404: refusal("There is no such session, or it is not live: open it first."),
      409: refusal("No state was saved before this turn; the text says why.")
    }
  }),
  listFolders: isRoute({
    method: "GET",
    path: "/folders",
    scope: "prompt",
    reach: "sessions",
    summary: "The folders in a folder, to choose one for a session; without `path`, the allowed roots.",
    query: { path: { about: "A path on the relay's machine; `~` is the home folder there." } },
    answers: {
      200: {
        about: "By name, at most 2,000.",
        schema: object({
          folder: { type: "string", description: "Absolute; absent without `path`." },
          parent: { type: "string", description: "Absent if the parent is not allowed." },
          folders: list(object({
            name: text,
            path: text,
            hidden: { type: "boolean", description: "Its name begins with a dot." },
            repository: { type: "boolean", description: "It is the top of a git repository." }
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
      "Lists a folder below a session's folder, one level; a token for single sessions needs `prompt`.",
    query: { path: { about: "Relative to the session's folder; default: that folder." } },
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
              description: "For a link that leads to something in the folder."
            },
            size: whole({ description: "The size of a file in bytes." }),
            modified_at: { type: "number", description: "Unix time in seconds." },
            hidden: { type: "boolean", description: "Its name begins with a dot." },
            unnameable: {
              type: "boolean",
              description: "Its name is not valid text, so it cannot be requested."
            }
          }, ["name", "kind"])),
          truncated: { type: "boolean" }
        }, ["path", "entries"])
      },
      400: refusal("The path is not valid, or not a folder."),
      403: notShown,
      404: noFile
    }
  }),
  readFile: isRoute({
    method: "GET",
    path: "/sessions/{session_id}/file",
    scope: "view",
    reach: "sessions",
    summary: "A part of a file as text, or that it is not text; a token for single sessions needs `prompt`.",
    query: {
      path: fileQuery,
      offset: { about: "The first byte.", schema: whole({ minimum: 0, default: 0 }) },
      length: {
        about: "Most bytes.",
        schema: whole({ minimum: 1, maximum: 1024 * 1024, default: 256 * 1024 })
      }
    },
    answers: {
      200: {
        about: "The part ends at the end of a character.",
        schema: object({
          path: text,
          size: whole({ description: "Bytes of the whole file." }),
          modified_at: { type: "number" },
          offset: whole(),
          text: { type: "string", description: "Absent for files that are not text." },
          binary: { type: "boolean" },
          next_offset: whole({ description: "Where to continue; absent at the end." })
        }, ["path", "size", "modified_at", "offset"])
      },
      400: refusal("The path is not valid, or not a regular file."),
      403: notShown,
      404: noFile
    }
  }),
  sendFile: isRoute({
    method: "GET",
    path: "/sessions/{session_id}/raw",
    scope: "view",
    reach: "sessions",
    summary: "The bytes of a file, or a range of them; a token for single sessions needs `prompt`.",
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
      400: refusal("The path is not valid, or not a regular file."),
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
      "Finds files of a session's folder by words in their names; a token for single sessions needs `prompt`.",
    query: {
      q: { about: "Words in any order and case, or some of their letters. At most 200 characters." },
      limit: { about: "Most files to return.", schema: whole({ minimum: 1, maximum: 100, default: 20 }) }
    },
    answers: {
      200: {
        about:
          "Best matches first, without ignored files. `complete` is false if there are too many files to search.",
        schema: object({ files: list(text), complete: { type: "boolean" } })
      },
      400: refusal("`limit` is not valid."),
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
      "The git status of a session's folder; a token for single sessions needs `prompt`. No program of the repository runs.",
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
    summary: "The changes of a file as a unified diff; a token for single sessions needs `prompt`.",
    query: {
      path: fileQuery,
      from: { about: "Its old name, if it was renamed." },
      against: {
        about:
          "`unstaged` (default): on disk from the index; `staged`: in the index from the last commit; else a branch, tag or commit."
      }
    },
    answers: {
      200: {
        about: "`diff` is empty for files that are not text, or larger than 1 MiB.",
        schema: object({
          path: text,
          diff: text,
          binary: { type: "boolean" },
          too_large: { type: "boolean" }
        }, ["path", "diff"])
      },
      400: refusal("The path is not valid."),
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
      "Stages files of a session's folder as they are on disk, or unstages them. No program of the repository runs.",
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
        about: "The commit was made.",
        schema: object({
          commit: text,
          branch: text,
          files: whole({ description: "How many files it changes." }),
          ran: { ...list(text), description: "Programs of the repository that ran." }
        }, ["commit", "files", "ran"])
      },
      400: refusal("The body is not valid."),
      403: refusal("The commit would run programs, which the token may not; or the token may not prompt."),
      404: noSession,
      409: refusal("There is nothing to commit, or the current state does not allow it; the text says why.")
    }
  }),
  attachFile: isRoute({
    method: "POST",
    path: "/sessions/{session_id}/attachments",
    scope: "prompt",
    reach: "sessions",
    summary: "Saves a file for the session's agent, in the relay's state or in the session's folder.",
    query: {
      name: { about: "Its name; it is saved under a safe version of it." },
      into: {
        about: "`folder`: under `attachments/` in the session's folder.",
        schema: { enum: ["state", "folder"], default: "state" }
      }
    },
    body: { type: "string", format: "binary", description: "At most 50 MiB." },
    bodyType: "application/octet-stream",
    answers: {
      201: {
        about: "It is saved until the session is deleted; `path` is for the agent.",
        schema: object({ name: text, path: text, size: whole() })
      },
      400: refusal("The name is missing, or the file ended early."),
      404: noSession,
      409: refusal("It cannot be saved there; the text says where it can."),
      413: refusal("It is too large, or the session has too many files."),
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
      "Sends a prompt to a session later: once (`at`) or repeatedly (`every`). The session need not be live.",
    body: NewSchedule,
    answers: {
      201: { about: "It was saved.", schema: ref("Schedule") },
      400: refusal("The body is not valid."),
      404: noSession
    }
  }),
  changeSchedule: isRoute({
    method: "PATCH",
    path: "/schedules/{schedule_id}",
    scope: "prompt",
    reach: "relay",
    summary: "Pauses or continues a schedule.",
    body: ScheduleChange,
    answers: {
      200: { about: "The changed schedule.", schema: ref("Schedule") },
      400: refusal("The body is not valid."),
      404: refusal("There is no such schedule.")
    }
  }),
  removeSchedule: isRoute({
    method: "DELETE",
    path: "/schedules/{schedule_id}",
    scope: "prompt",
    reach: "relay",
    summary: "Removes a schedule; a run that has started goes on.",
    answers: { 204: { about: "It was deleted." }, 404: refusal("There is no such schedule.") }
  }),
  shareSession: isRoute({
    method: "POST",
    path: "/sessions/{session_id}/share",
    scope: "admin",
    reach: "sessions",
    summary:
      "A token for this session only, to share as a link: the console's address followed by `fragment`.",
    body: Share,
    answers: {
      201: {
        about: "The token, which is shown only now.",
        schema: object({
          name: text,
          token: text,
          fragment: text,
          scopes: list({ enum: scopes }),
          expires_at: { type: "number" }
        })
      },
      400: refusal("The body is not valid."),
      404: noSession
    }
  }),
  pairDevice: isRoute({
    method: "POST",
    path: "/devices",
    scope: "admin",
    reach: "relay",
    summary:
      "A token for another device of yours: one of `addresses` followed by `fragment`, as a link or QR code, opens the console there.",
    body: Share,
    answers: {
      201: {
        about:
          "The token, which is shown only now. Without `addresses`, no other machine can reach the relay.",
        schema: object({
          name: text,
          token: text,
          fragment: text,
          scopes: list({ enum: scopes }),
          expires_at: { type: "number" },
          addresses: list(text)
        })
      },
      400: refusal("The body is not valid.")
    }
  }),
  listTokens: isRoute({
    method: "GET",
    path: "/tokens",
    scope: "admin",
    reach: "relay",
    summary: "The named tokens, without the tokens themselves.",
    answers: {
      200: { about: "Tokens that have not expired.", schema: object({ tokens: list(ref("Token")) }) }
    }
  }),
  revokeToken: isRoute({
    method: "DELETE",
    path: "/tokens/{name}",
    scope: "admin",
    reach: "relay",
    summary: "Revokes a token and those made with it; their connections end.",
    answers: { 204: { about: "It was revoked." }, 404: refusal("There is no such token.") }
  }),
  getPush: isRoute({
    method: "GET",
    path: "/push",
    scope: "view",
    reach: "sessions",
    summary: "The relay's public key for Web Push, and your subscribed browsers.",
    answers: {
      200: {
        about: "`key` is the `applicationServerKey` for `PushManager.subscribe`.",
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
      "Notifies a browser when a session waits or a long turn has ended, until your token ends; subscribing again renews it.",
    body: PushSubscription,
    answers: {
      201: { about: "It was saved.", schema: pushListed },
      400: refusal("It is not valid, or its push service cannot be used.")
    }
  }),
  unsubscribePush: isRoute({
    method: "DELETE",
    path: "/push/subscriptions/{subscription_id}",
    scope: "view",
    reach: "sessions",
    summary: "Stops notifying one of your browsers.",
    answers: { 204: { about: "It was deleted." }, 404: refusal("You have no such subscription.") }
  }),
  answerPush: isRoute({
    method: "POST",
    path: "/push/answer",
    // The ticket says who it is, and what for.
    scope: "public",
    reach: "sessions",
    summary: "Answers the question in a notification, with the ticket that came with it.",
    body: PushAnswer,
    answers: {
      204: { about: "The question is settled." },
      400: refusal("The body is not valid."),
      410: refusal("It was already answered, or is no longer asked; a ticket works once.")
    }
  }),
  listNativeSessions: isRoute({
    method: "GET",
    path: "/native-sessions",
    scope: "view",
    reach: "relay",
    summary: "Conversations held with agents in a terminal.",
    query: {
      tool: { about: "Only of this agent." },
      folder: { about: "Only of this folder and those below." },
      q: { about: "Words in title, first prompt, folder, branch, agent or id." },
      limit: { about: "How many, at most 200.", schema: whole({ minimum: 1, maximum: 200, default: 50 }) },
      cursor: { about: "The `next_cursor` of the previous page." }
    },
    answers: {
      200: {
        about: "The most recently written first; only in allowed folders.",
        schema: object({
          sessions: list(ref("NativeSession")),
          next_cursor: { type: "string", description: "For `cursor`, if there are more." },
          agents: {
            description: "The results of asking agents that list their conversations themselves.",
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
    summary: "One conversation with its counts.",
    answers: { 200: { about: "It.", schema: ref("NativeSession") }, 404: noNative }
  }),
  readNativeSession: isRoute({
    method: "GET",
    path: "/native-sessions/{tool}/{native_session_id}/events",
    scope: "view",
    reach: "relay",
    summary: "A page of its turns: the last ones, or those before a given place. The agent is not started.",
    query: {
      before: { about: "The `before` of another page." },
      limit: { about: "Most turns to return.", schema: whole({ minimum: 1, maximum: 200, default: 20 }) }
    },
    answers: {
      200: {
        about: "Oldest first; events as on the socket, without `seq` and `session_id`.",
        schema: object({
          events: list({ type: "object" }),
          before: {
            type: "string",
            description: "The `before` for the previous page; absent at the beginning."
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
    summary: "Usage of sessions, summed by one dimension, the largest first.",
    query: {
      by: {
        about: "The dimension.",
        schema: { enum: ["session", "folder", "token", "agent", "model", "day"], default: "session" }
      },
      since: day("A day, inclusive."),
      until: day("A day, inclusive.")
    },
    answers: {
      200: {
        about: "US dollars, tokens, turns and minutes.",
        schema: object({ by: text, usage: list(ref("Usage")) })
      },
      400: refusal("The dimension or a day is not valid.")
    }
  }),
  getMetrics: isRoute({
    method: "GET",
    path: "/metrics",
    scope: "view",
    reach: "relay",
    summary: "Metrics for Prometheus.",
    answers: { 200: { about: "The text format 0.0.4.", type: "text/plain", schema: text } }
  }),
  chat: isRoute({
    method: "POST",
    path: "/chat/{tool}",
    scope: "prompt",
    reach: "sessions",
    front: "chat",
    summary: "A prompt of an AI SDK chat, or answers to the agent's questions.",
    body: {
      type: "object",
      description: "As sent by the SDK's transport; the chat's `id` is the session's.",
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
      200: uiMessageStream("What the agent does, until its turn ends or it waits for a person."),
      400: refusalText("The body is invalid, or contains something that the agent does not support."),
      403: refusalText("The folder, or this prompt, is not allowed."),
      404: refusalText("There is no such folder, or no such session to continue."),
      413: refusalText("The body is too large."),
      415: refusalText("The body is not JSON."),
      503: refusalText("The relay is overloaded.")
    }
  }),
  resumeChat: isRoute({
    method: "GET",
    path: "/chat/{tool}/{id}/stream",
    scope: "view",
    reach: "sessions",
    front: "chat",
    summary: "The current message of an AI SDK chat, from its beginning.",
    answers: {
      200: uiMessageStream("Until the turn ends or it waits for a person."),
      204: { about: "No turn is running." }
    }
  }),
  stopChat: isRoute({
    method: "POST",
    path: "/chat/{tool}/{id}/stop",
    scope: "prompt",
    reach: "sessions",
    front: "chat",
    summary: "Interrupts the running turn of an AI SDK chat; closing its stream does not.",
    answers: {
      200: { about: "Whether a turn was running.", schema: object({ stopped: { type: "boolean" } }) }
    }
  }),
  answerChat: isRoute({
    method: "POST",
    path: "/chat/{tool}/{id}/answer",
    scope: "approve",
    reach: "sessions",
    front: "chat",
    summary: "Answers a question of an AI SDK chat's agent with more than yes or no.",
    body: {
      type: "object",
      description: "The fields of a `permission_response`.",
      required: ["request_id"],
      properties: { request_id: text, behavior: { enum: ["allow", "deny"] }, message: text }
    },
    answers: {
      204: { about: "The question is settled." },
      400: refusalText("No request with this id is waiting, or the answer is not valid."),
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
    summary: "The whole conversation of a session as messages of the AI SDK.",
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
    summary: "The first request of CopilotKit's pages to their runtime: the available agents.",
    answers: { 200: { about: "The agents that can be used here.", schema: { type: "object" } } }
  }),
  agui: isRoute({
    method: "POST",
    path: "/agui",
    scope: "prompt",
    reach: "sessions",
    front: "agui",
    summary: "All requests of CopilotKit's pages through one path: `method`, `params` and `body`.",
    body: object({ method: text, params: { type: "object" }, body: { type: "object" } }, ["method"]),
    answers: aguiAnswers
  }),
  runAgui: isRoute({
    method: "POST",
    path: "/agui/{tool}",
    scope: "prompt",
    reach: "sessions",
    front: "agui",
    summary: "A run of an AG-UI client: a prompt, or answers to the agent's questions.",
    body: aguiInput,
    answers: aguiAnswers
  }),
  runAguiAgent: isRoute({
    method: "POST",
    path: "/agui/agent/{agent}/run",
    scope: "prompt",
    reach: "sessions",
    front: "agui",
    summary: "The same, as requested by CopilotKit's pages.",
    body: aguiInput,
    answers: aguiAnswers
  }),
  connectAguiAgent: isRoute({
    method: "POST",
    path: "/agui/agent/{agent}/connect",
    scope: "view",
    reach: "sessions",
    front: "agui",
    summary: "A whole thread as runs, including the current one as it goes on.",
    body: aguiInput,
    answers: aguiAnswers
  }),
  stopAguiAgent: isRoute({
    method: "POST",
    path: "/agui/agent/{agent}/stop/{thread}",
    scope: "prompt",
    reach: "sessions",
    front: "agui",
    summary: "Interrupts the running turn of a thread; closing its stream does not.",
    answers: {
      200: { about: "Whether a turn was running.", schema: object({ stopped: { type: "boolean" } }) }
    }
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
        about: "The message is not valid, or its protocol version is not supported.",
        schema: { type: "object" }
      },
      404: { about: "The method is unknown.", schema: { type: "object" } },
      415: refusal("The body is not JSON.")
    }
  }),
  issueTicket: isRoute({
    method: "POST",
    path: "/ticket",
    scope: "view",
    reach: "sessions",
    summary: "A ticket that allows one connection without the token: the handshake's `ticket`.",
    answers: {
      200: {
        about: "The ticket, and its lifetime in seconds.",
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

/** A WebSocket path and the scope needed to connect. Commands have scopes of their own (`commandScopes.ts`). */
export interface SocketRoute {
  readonly path: `/${string}`
  readonly scope: Scope
  readonly reach: "relay" | "sessions"
  readonly summary: string
}

const isSocket = <const R extends SocketRoute>(route: R): R => route

/** The relay's own protocol is served at every path that no other protocol uses. */
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
    summary: "The Agent Client Protocol, for editors: one JSON-RPC message per text frame."
  })
}
export type SocketRouteId = keyof typeof socketRoutes
