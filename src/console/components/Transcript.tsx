/**
 * Transcript: all that was said and done. Only what is in sight is in the page, so a long session costs what a short one
 * does. It stays at the end while you are at the end, and where you are when you have scrolled away.
 */
import { ArrowDown } from "lucide-react"
import { useEffect, useMemo, useRef } from "react"
import { Virtualizer } from "virtua"
import type { Answer } from "../../client/browser.js"
import { type Item, openAsks, type View } from "../../messages/View.js"
import type { State, Unsent } from "../relay/SessionStore.js"
import { w } from "../words/words.js"
import { ItemView } from "./ItemView.js"
import { UserBubble } from "./UserBubble.js"
import { useStickToEnd } from "./useStickToEnd.js"
import { Working } from "./Working.js"

interface Props {
  readonly state: State
  readonly onAnswer: (request_id: string, answer: Answer) => void
  readonly onPrompt: (text: string) => void
}

/** A question that its tool's card tells of takes no room. */
const kindOf = (item: Item) =>
  item.kind === "ask" && item.state !== "open" && item.onCard ? "told" : item.kind

const Ghost = ({ prompt: { content } }: { readonly prompt: Unsent }) => {
  const blocks = typeof content === "string" ? [{ type: "text" as const, text: content }] : content
  const text = blocks.map((block) => block.type === "text" ? block.text : "").join("")
  return <UserBubble text={text} images={blocks.filter((block) => block.type === "image")} note={w.sending} />
}

const Greeting = (
  { onPrompt, over, view }: Pick<Props, "onPrompt"> & { readonly view: View; readonly over: boolean }
) => (
  <>
    <h2>{over ? w.sessionEnded : view.started ? w.ready : w.starting}</h2>
    {view.started && !over && (
      <p className="muted">
        {w.readyHelp("/", "Esc").map((part) =>
          part === "/" || part === "Esc" ? <kbd key={part}>{part}</kbd> : part
        )}
      </p>
    )}
    <div className="chips center">
      {!over && view.suggestions.map((text) => (
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
    <h2>{w.loadingConversation}</h2>
    <progress value={loaded} aria-label={w.loadingConversation} />
  </>
)

export const Transcript = ({ onAnswer, onPrompt, state }: Props) => {
  const { loaded, unsent, view } = state
  const scroller = useRef<HTMLDivElement>(null)
  const content = useRef<HTMLDivElement>(null)
  const { atEnd, toEnd } = useStickToEnd(scroller, content)
  const waits = openAsks(view).length > 0
  const isEmpty = view.items.length === 0 && unsent.length === 0

  const { folder, tool } = view
  const { edit_input } = view.can
  const shared = useMemo(() => ({ tool, folder, edit_input }), [edit_input, folder, tool])

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
        aria-label={w.conversation}
        aria-live="off"
      >
        <div className="scroll-content" ref={content}>
          <Virtualizer scrollRef={scroller} data={view.items} bufferSize={600}>
            {(item: Item) => (
              <div key={item.key} className="row" data-kind={kindOf(item)}>
                <ItemView item={item} view={shared} onAnswer={onAnswer} />
              </div>
            )}
          </Virtualizer>
          {unsent.map((prompt) => (
            <div key={prompt.message_id} className="row" data-kind="user">
              <Ghost prompt={prompt} />
            </div>
          ))}
          {view.turn !== undefined && loaded === undefined && !waits && <Working turn={view.turn} />}
          {isEmpty && (
            <div className="greeting">
              {loaded === undefined
                ? <Greeting view={view} onPrompt={onPrompt} over={state.link.status === "closed"} />
                : <Loading loaded={loaded} />}
            </div>
          )}
        </div>
      </div>
      {!atEnd && (
        <button type="button" className="to-end" data-waits={waits} onClick={toEnd}>
          <ArrowDown size={15} aria-hidden /> {waits ? w.toQuestion : w.toLatest}
        </button>
      )}
    </div>
  )
}
