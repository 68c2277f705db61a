/**
 * Transcript: all messages and actions. Only visible rows are mounted, so a long session costs no more than a
 * short one. It stays at the end while the person is there, and keeps its position when they have scrolled
 * away.
 */
import { ArrowDown } from "lucide-react"
import { type RefObject, useEffect, useMemo, useRef, useSyncExternalStore } from "react"
import { Virtualizer, type VirtualizerHandle } from "virtua"
import type { Answer } from "../../client/browser.js"
import { type Item, openAsks, type View } from "../../messages/View.js"
import { onAddress, placeInAddress } from "../relay/address.js"
import type { Unsent } from "../relay/kept.js"
import type { State } from "../relay/SessionStore.js"
import { onCalled } from "../relay/shell.js"
import { w } from "../words/words.js"
import { ItemView } from "./ItemView.js"
import { type Row, rowAt, rowsOf } from "./rows.js"
import { ToolGroup } from "./ToolGroup.js"
import { UserBubble } from "./UserBubble.js"
import { useStickToEnd } from "./useStickToEnd.js"
import { Working } from "./Working.js"

interface Props {
  readonly state: State
  readonly onAnswer: (request_id: string, answer: Answer) => void
  readonly onPrompt: (text: string) => void
  /** Put the prompt's text into the prompt box, to be sent again; undefined: no prompts can be sent here. */
  readonly onEdit?: ((text: string) => void) | undefined
}

/** Scrolls to the position given by the URL, once per URL, and gives the key of the item there. */
const usePlace = (
  rows: ReadonlyArray<Row>,
  last_seq: number,
  isWhole: boolean,
  list: RefObject<VirtualizerHandle | null>,
  leave: () => void
): string | undefined => {
  const seq = useSyncExternalStore(onAddress, placeInAddress)
  const seen = useRef<number>(undefined)
  const index = useMemo(() => seq === undefined ? -1 : rowAt(rows, seq), [rows, seq])
  // Everything up to there has arrived.
  const isThere = index >= 0 && isWhole && last_seq >= (seq ?? 0)
  useEffect(() => {
    if (seq === undefined) seen.current = undefined
    if (seq === undefined || !isThere || seen.current === seq) return
    seen.current = seq
    leave()
    // Rows above it get their height when they are rendered.
    const scroll = () => list.current?.scrollToIndex(index, { align: "center" })
    scroll()
    const frame = requestAnimationFrame(scroll)
    return () => cancelAnimationFrame(frame)
  }, [index, isThere, leave, list, seq])
  return isThere ? rows[index]?.key : undefined
}

/** A question shown by its tool's card takes no space. */
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

export const Transcript = ({ onAnswer, onEdit, onPrompt, state }: Props) => {
  const { loaded, unsent, view } = state
  const scroller = useRef<HTMLDivElement>(null)
  const content = useRef<HTMLDivElement>(null)
  const list = useRef<VirtualizerHandle>(null)
  const rows = useMemo(() => rowsOf(view.items), [view.items])
  const { atEnd, leave, toEnd } = useStickToEnd(scroller, content)
  const place = usePlace(rows, view.last_seq, loaded === undefined, list, leave)
  const waits = openAsks(view).length > 0
  const isEmpty = view.items.length === 0 && unsent.length === 0

  const { folder, tool } = view
  const { edit_input } = view.can
  const shared = useMemo(() => ({ tool, folder, edit_input }), [edit_input, folder, tool])

  useEffect(() => onCalled(toEnd), [toEnd])

  // A person who sends a prompt wants to see the answer.
  const said = unsent.length
  useEffect(() => {
    if (said > 0) toEnd()
  }, [said, toEnd])

  return (
    <div className="transcript">
      {/* A scrollable area must be reachable by keyboard. */}
      <div
        className="scroller"
        ref={scroller}
        tabIndex={0}
        role="log"
        aria-label={w.conversation}
        aria-live="off"
      >
        <div className="scroll-content" ref={content}>
          <Virtualizer ref={list} scrollRef={scroller} data={rows} bufferSize={600}>
            {({ group, inner, item, key }: Row) => (
              <div key={key} className="row" data-kind={kindOf(item)} data-found={key === place}>
                {group === undefined
                  ? <ItemView item={item} inner={inner} view={shared} onAnswer={onAnswer} onEdit={onEdit} />
                  : <ToolGroup items={group} folder={folder} />}
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
