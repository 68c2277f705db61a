/**
 * nativeRules: what any client may request from Codex's app-server directly: read and name this session's own
 * thread.
 *
 * Excluded are requests that run commands (`command/…`), read or write files (`fs/…`) or the user's settings
 * (`config/…`), open threads with other rights (`thread/start`, `turn/start`), or show keys
 * (`getAuthStatus`).
 */
import type { NativeRules } from "../Adapter.js"

const pages = ["cursor", "limit"]
const ofThread: NativeRules["harmless"] = {
  "thread/read": ["includeTurns"],
  "thread/turns/list": [...pages, "sortDirection"],
  "thread/items/list": [...pages, "sortDirection"],
  "thread/name/set": ["name"],
  "thread/backgroundTerminals/list": pages
}

/** `threadId`: this session's thread. */
export const nativeRules = (threadId: string): NativeRules => ({
  harmless: {
    "model/list": [...pages, "includeHidden"],
    "collaborationMode/list": [],
    "account/rateLimits/read": [],
    ...ofThread
  },
  own: Object.fromEntries(Object.keys(ofThread).map((method) => [method, { threadId }])),
  instead: {
    initialize: "the relay has done it",
    "thread/start": "open another session of the relay instead",
    "thread/resume": "open a session with `native_session_id` instead",
    "turn/start": "send a prompt as {\"text\":\"…\"} instead",
    "turn/steer": "send a prompt as {\"text\":\"…\",\"when\":\"steer\"} instead",
    "turn/interrupt": "send {\"type\":\"interrupt\"} instead",
    "thread/compact/start": "send the prompt /compact instead"
  }
})
