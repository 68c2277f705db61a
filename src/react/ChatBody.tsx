/**
 * ChatBody: the content of a `Chat`: the console's own components.
 */
import { useCallback, useState } from "react"
import { Composer } from "../console/components/Composer.js"
import { Folds } from "../console/components/Folds.js"
import { PlanBar } from "../console/components/PlanBar.js"
import { Transcript } from "../console/components/Transcript.js"
import { agentName } from "../console/components/words.js"
import type { SessionStore } from "../console/relay/SessionStore.js"
import { w } from "../console/words/words.js"
import type { SessionHook } from "./useSession.js"

const Banner = ({ session: { error, reason, status, view } }: { readonly session: SessionHook }) => {
  if (status === "offline") {
    return (
      <p className="banner" role="status" data-level="warning">
        <span>{w.connectionLost} {reason}</span>
      </p>
    )
  }
  if (error === undefined || error.code === "closed") return null
  const isEnd = error.code === "session_ended"
  const failed = isEnd && view.failure !== undefined
  return (
    <p className="banner" role={isEnd ? "status" : "alert"} data-level={isEnd && !failed ? "info" : "error"}>
      <span>
        {failed
          ? w.sessionStopped(agentName(view.tool), view.failure ?? "")
          : isEnd
          ? w.sessionEnded
          : error.message}
      </span>
    </p>
  )
}

const Live = ({ session, store }: { readonly session: SessionHook; readonly store: SessionStore }) => {
  const [returned, setReturned] = useState("")
  const stop = useCallback(
    () => setReturned(store.stop().filter((text) => text !== "").join("\n\n")),
    [store]
  )
  const onReturned = useCallback(() => setReturned(""), [])
  const state = store.state()
  return (
    <Folds>
      <Transcript state={state} onAnswer={store.answer} onPrompt={(text) => store.prompt(text, "queue")} />
      <div className="dock">
        <PlanBar plan={session.view.plan} />
        <Composer
          view={state.view}
          store={store}
          closed={session.status === "ended"}
          held={false}
          returned={returned}
          onReturned={onReturned}
          onStop={stop}
        />
      </div>
    </Folds>
  )
}

export const ChatBody = ({ session }: { readonly session: SessionHook }) => (
  <div className="page session">
    <Banner session={session} />
    <p className="visually-hidden" role="status">
      {session.status === "asking"
        ? w.waitingForYou
        : session.status === "working" || session.status === "ready"
        ? w.state[session.status]
        : ""}
    </p>
    {session.store !== undefined && <Live key={session.session_id} session={session} store={session.store} />}
  </div>
)
