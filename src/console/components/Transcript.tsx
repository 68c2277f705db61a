/**
 * Transcript: all that was said and done. Only what is in sight is in the page, so a long session costs what a short one
 * does. It stays at the end while you are at the end, and where you are when you have scrolled away.
 */
import { ArrowDown } from "lucide-react"
import { useEffect, useRef } from "react"
import { Virtualizer } from "virtua"
import type { Session } from "../../client/browser.js"
import { type Item, openAsks, type View } from "../model/View.js"
import type { State, Unsent } from "../relay/SessionStore.js"
import { ItemView } from "./ItemView.js"
import { UserBubble } from "./UserBubble.js"
import { useStickToEnd } from "./useStickToEnd.js"
import { Working } from "./Working.js"

interface Props {
  readonly state: State
  readonly session: Session
  readonly onPrompt: (text: string) => void
}

const Ghost = ({ prompt: { content } }: { readonly prompt: Unsent }) => {
  const blocks = typeof content === "string" ? [{ type: "text" as const, text: content }] : content
  const text = blocks.map((block) => block.type === "text" ? block.text : "").join("")
  return <UserBubble text={text} images={blocks.filter((block) => block.type === "image")} note="sending…" />
}

const Greeting = ({ onPrompt, view }: Pick<Props, "onPrompt"> & { readonly view: View }) => (
  <>
    <h2>{view.started ? "Ready when you are" : "Starting the agent…"}</h2>
    {view.started && (
      <p className="muted">
        Type a prompt. <kbd>/</kbd> lists commands, <kbd>Esc</kbd> stops a turn.
      </p>
    )}
    <div className="chips center">
      {view.suggestions.map((text) => (
        <button
          key={text}
          type="button"
          className="chip"
          onClick={() => onPrompt(text)}
        >
          {text}
        </button>
      ))}
    </div>
  </>
)

const Loading = ({ loaded }: { readonly loaded: number }) => (
  <>
    <h2>Loading the conversation…</h2>
    <progress value={loaded} aria-label="Loading the conversation" />
  </>
)

export const Transcript = ({ onPrompt, session, state }: Props) => {
  const { loaded, unsent, view } = state
  const scroller = useRef<HTMLDivElement>(null)
  const content = useRef<HTMLDivElement>(null)
  const { atEnd, toEnd } = useStickToEnd(scroller, content)
  const waits = openAsks(view).length > 0
  const isEmpty = view.items.length === 0 && unsent.length === 0

  // Who speaks wants to see the answer.
  const said = unsent.length
  useEffect(() => {
    if (said > 0) toEnd()
  }, [said, toEnd])

  return (
    <div className="transcript">
      {/* A place to scroll must be reachable by keyboard. */}
      <div
        className="scroller"
        ref={scroller}
        tabIndex={0}
        role="log"
        aria-label="Conversation"
        aria-live="off"
      >
        <div className="scroll-content" ref={content}>
          <Virtualizer scrollRef={scroller} data={view.items} bufferSize={600}>
            {(item: Item) => (
              <div key={item.key} className="row" data-kind={item.kind}>
                <ItemView item={item} session={session} />
              </div>
            )}
          </Virtualizer>
          {unsent.map((prompt) => (
            <div key={prompt.message_id} className="row" data-kind="user">
              <Ghost prompt={prompt} />
            </div>
          ))}
          {view.turn !== undefined && loaded === undefined && <Working turn={view.turn} waits={waits} />}
          {isEmpty && (
            <div className="greeting">
              {loaded === undefined
                ? <Greeting view={view} onPrompt={onPrompt} />
                : <Loading loaded={loaded} />}
            </div>
          )}
        </div>
      </div>
      {!atEnd && (
        <button type="button" className="to-end" data-waits={waits} onClick={toEnd}>
          <ArrowDown size={15} aria-hidden /> {waits ? "Waits for your answer" : "To the end"}
        </button>
      )}
    </div>
  )
}
