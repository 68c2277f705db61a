/**
 * Composer: the prompt box. Enter sends, Shift+Enter adds a line break; while a turn is running, Enter queues
 * and Ctrl+Enter steers if the agent supports it. Files can be pasted, dropped or chosen; `@` mentions a file
 * in the session's folder.
 */
import { ArrowUp, CornerDownRight, Paperclip, Square, X } from "lucide-react"
import {
  type ChangeEvent,
  type KeyboardEvent,
  type RefObject,
  useEffect,
  useLayoutEffect,
  useRef,
  useState
} from "react"
import type { Content, When } from "../../client/browser.js"
import type { View } from "../../messages/View.js"
import { draftOf, keepDraft, keepPrompt, onDraft, sentPrompts } from "../relay/kept.js"
import type { SessionStore } from "../relay/SessionStore.js"
import { w } from "../words/words.js"
import { AttachmentList } from "./beside/AttachmentList.js"
import { areKept, useAttachments, withAttachments } from "./beside/attachments.js"
import { FileMenu } from "./beside/FileMenu.js"
import { mentionAt, mentionOf, withMention } from "./beside/mention.js"
import { useMentions } from "./beside/useMentions.js"
import { filesOf, foldersOf, imageTypes, type Picture, toPicture } from "./images.js"
import { isComposing } from "./isComposing.js"
import { Pickers } from "./Pickers.js"
import { short } from "./plain.js"
import { matching, SlashMenu } from "./SlashMenu.js"
import { agentName } from "./words.js"

interface Props {
  readonly view: View
  readonly store: SessionStore
  readonly closed: boolean
  /** A terminal has the conversation open: no prompts can be sent. */
  readonly held: boolean
  /** Prompts removed from the queue, to be sent again or not. */
  readonly returned: string
  readonly onReturned: () => void
  readonly onStop: () => void
  /** Lets the file pane insert a file's name here. Absent: the page is not the relay's and shows no files. */
  readonly mention?: RefObject<((path: string) => void) | undefined>
}

const toContent = (text: string, pictures: ReadonlyArray<Picture>): Content =>
  pictures.length === 0 ? text : [
    ...pictures.map(({ block }) => block),
    ...(text.trim() === "" ? [] : [{ type: "text" as const, text }])
  ]

/** A text box that grows with its text. */
const useGrowing = (text: string) => {
  const box = useRef<HTMLTextAreaElement>(null)
  useEffect(() => {
    if (box.current === null) return
    box.current.style.height = "auto"
    box.current.style.height = `${Math.min(box.current.scrollHeight, 240)}px`
  }, [text])
  return box
}

/** Images not sent yet, by session: looking at another session loses none. */
const pasted = new Map<string, ReadonlyArray<Picture>>()

/** Browsing earlier prompts: the position, and the draft to return to. */
interface Recall {
  readonly at: number
  readonly draft: string
}

export const Composer = ({ closed, held, mention, onReturned, onStop, returned, store, view }: Props) => {
  const { session_id } = store.session
  const [text, setTextOnly] = useState(() => draftOf(session_id))
  const [recall, setRecall] = useState<Recall>()
  const [pictures, setPicturesOnly] = useState(() => pasted.get(session_id) ?? [])
  const [isDraftKept, setDraftKept] = useState(true)
  const [problem, setProblem] = useState<string>()
  const [over, setOver] = useState(false)
  const [marked, setMarked] = useState(0)
  const [dismissed, setDismissed] = useState(false)
  const [caret, setCaret] = useState(0)
  const placed = useRef<number>(undefined)
  const box = useGrowing(text)
  const attachments = useAttachments(session_id)
  const { can, commands, queue } = view
  const isRunning = view.turn !== undefined
  const isEmpty = text.trim() === "" && pictures.length === 0 && attachments.list.length === 0
  const found = dismissed ? [] : matching(commands, text)
  const written = mention === undefined || dismissed || found.length > 0 ? undefined : mentionAt(text, caret)
  const files = useMentions(session_id, written?.query)
  const options = found.length > 0 ? found.length : files.length
  const mark = Math.min(marked, options - 1)

  const setText = (text: string) => {
    setTextOnly(text)
    setDraftKept(keepDraft(session_id, text))
  }
  const setPictures = (pictures: ReadonlyArray<Picture>) => {
    setPicturesOnly(pictures)
    pasted.set(session_id, pictures)
  }

  // All tabs have the same draft: what is sent in one is not there to be sent again in another.
  useEffect(() =>
    onDraft(session_id, (draft) => {
      setTextOnly(draft)
      setRecall(undefined)
      setDraftKept(true)
    }), [session_id])

  // What the browser does not keep is lost with the page: it asks first.
  const isKept = isDraftKept && pictures.length === 0 && attachments.list.length === 0
  useEffect(() => {
    if (isKept) return
    const onLeave = (event: BeforeUnloadEvent) => event.preventDefault()
    addEventListener("beforeunload", onLeave)
    return () => removeEventListener("beforeunload", onLeave)
  }, [isKept])

  useEffect(() => {
    if (matchMedia("(hover: hover)").matches) box.current?.focus()
  }, [box])

  useEffect(() => {
    if (returned === "") return
    const whole = [returned, draftOf(session_id)].filter((part) => part !== "").join("\n\n")
    setTextOnly(whole)
    setDraftKept(keepDraft(session_id, whole))
    onReturned()
  }, [onReturned, returned, session_id])

  useLayoutEffect(() => {
    if (placed.current === undefined) return
    box.current?.setSelectionRange(placed.current, placed.current)
    setCaret(placed.current)
    placed.current = undefined
  }, [box, text])

  /** With the caret's new position. */
  const write = (text: string, caret: number) => {
    placed.current = caret
    setText(text)
    box.current?.focus()
  }

  useEffect(() => {
    if (mention === undefined) return
    mention.current = (path) => {
      const at = box.current?.selectionEnd ?? text.length
      const before = text.slice(0, at)
      const name = (before === "" || /\s$/.test(before) ? "" : " ") + mentionOf(path)
      write(before + name + text.slice(at), at + name.length)
    }
    return () => {
      mention.current = undefined
    }
  })

  const send = (when: When) => {
    if (isEmpty) return
    if (!areKept(attachments.list)) return setProblem(w.beside.notSent)
    store.prompt(toContent(withAttachments(text, attachments.list), pictures), when)
    attachments.clear()
    keepPrompt(text)
    setRecall(undefined)
    setText("")
    setPictures([])
    setProblem(undefined)
  }

  const attach = async (files: ReadonlyArray<File>) => {
    if (files.length === 0) return
    if (mention === undefined && !can.images) return setProblem(w.noImages(agentName(view.tool)))
    // Files the agent does not get as images can be read as files.
    const isImage = ({ type }: File) =>
      mention === undefined || (can.images && imageTypes.some((image) => image === type))
    attachments.add(files.filter((file) => !isImage(file)))
    const read = await Promise.all(files.filter(isImage).map(toPicture))
    setPictures([
      ...pasted.get(session_id) ?? [],
      ...read.filter((picture) => typeof picture !== "string")
    ])
    setProblem(read.find((picture) => typeof picture === "string"))
  }

  const complete = (name: string) => {
    setText(`/${name} `)
    box.current?.focus()
  }

  const nameFile = (path: string) => {
    if (written === undefined) return
    const next = withMention(text, written, path)
    write(next.text, next.caret)
  }

  const onMenuKey = (event: KeyboardEvent): boolean => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (step !== undefined) setMarked((mark + step + options) % options)
    else if (event.key === "Escape") setDismissed(true)
    else if (found.length === 0) {
      const file = files[mark]
      const isChosen = event.key === "Tab" ||
        (event.key === "Enter" && !event.shiftKey && written?.query !== file)
      if (file === undefined || !isChosen) return false
      nameFile(file)
    } else if (event.key === "Tab" || (event.key === "Enter" && text.trim() !== `/${found[mark]?.name}`)) {
      complete(found[mark]?.name ?? "")
    } else return false
    event.preventDefault()
    return true
  }

  /** ↑ at the beginning shows the previous prompt, ↓ at the end the next one; the draft comes last. */
  const onHistoryKey = (event: KeyboardEvent): boolean => {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key]
    const area = box.current
    if (
      step === undefined || area === null || event.shiftKey || event.altKey || event.ctrlKey || event.metaKey
    ) {
      return false
    }
    const atEdge = step === -1
      ? area.selectionEnd === 0 || recall !== undefined
      : area.selectionStart === text.length
    if (!atEdge || (recall === undefined && (step === 1 || area.selectionEnd !== 0))) return false
    const prompts = sentPrompts()
    const at = (recall?.at ?? prompts.length) + step
    if (at < 0 || at > prompts.length) return false
    const draft = recall?.draft ?? text
    setRecall(at === prompts.length ? undefined : { at, draft })
    setText(at === prompts.length ? draft : prompts[at] ?? "")
    event.preventDefault()
    return true
  }

  const onKeyDown = (event: KeyboardEvent) => {
    if (isComposing(event.nativeEvent)) return
    if (options > 0 && onMenuKey(event)) return
    if (onHistoryKey(event)) return
    if (event.key !== "Enter" || event.shiftKey) return
    event.preventDefault()
    send(isRunning && can.steer && (event.ctrlKey || event.metaKey) ? "steer" : "queue")
  }

  // Files may be dropped anywhere on the conversation; the browser would open them instead of the page.
  const root = useRef<HTMLDivElement>(null)
  const drop = useRef<(data: DataTransfer) => void>(undefined)
  useEffect(() => {
    drop.current = (data) => {
      if (closed || held) return
      const folders = foldersOf(data)
      void attach(filesOf(data).filter(({ name }) => !folders.includes(name))).then(() => {
        if (folders[0] !== undefined) setProblem(w.folderDropped(folders[0]))
      })
    }
  })
  useEffect(() => {
    const area = root.current?.closest<HTMLElement>("main.session") ?? root.current
    if (area === null) return
    const onDrag = (event: DragEvent) => {
      if (event.dataTransfer?.types.includes("Files") !== true) return
      event.preventDefault()
      setOver(event.type === "dragover")
      if (event.type === "drop") drop.current?.(event.dataTransfer)
    }
    const types = ["dragover", "dragleave", "drop"] as const
    for (const type of types) area.addEventListener(type, onDrag)
    return () => types.forEach((type) => area.removeEventListener(type, onDrag))
  }, [])

  const attachLabel = mention === undefined ? w.attachImage : w.beside.attach
  const onText = ({ target }: ChangeEvent<HTMLTextAreaElement>) => {
    setText(target.value)
    setCaret(target.selectionEnd)
    setRecall(undefined)
    setMarked(0)
    setDismissed(false)
  }

  return (
    <div className="composer" data-over={over} ref={root}>
      {queue.length > 0 && (
        <ul className="queue" aria-label={w.queued}>
          {queue.map(({ message_id, text }) => (
            <li key={message_id}>
              <CornerDownRight size={14} aria-hidden /> <span>{short(text) || w.image}</span>
              <button
                type="button"
                className="icon-button small"
                onClick={() => void store.session.send({ type: "cancel_queued", message_id })}
                aria-label={w.unqueueThis(short(text, 80))}
                title={w.unqueue}
              >
                <X size={14} aria-hidden />
              </button>
            </li>
          ))}
        </ul>
      )}
      {found.length > 0
        ? <SlashMenu commands={found} marked={mark} onChoose={complete} />
        : files.length > 0 && <FileMenu files={files} marked={mark} onChoose={nameFile} />}
      <div className="composer-box">
        <AttachmentList attachments={attachments} />
        {pictures.length > 0 && (
          <ul className="pictures" aria-label={w.attachedImages}>
            {pictures.map((picture) => (
              <li key={picture.url}>
                <img src={picture.url} alt={picture.name} />
                <button
                  type="button"
                  onClick={() => setPictures(pictures.filter((other) => other !== picture))}
                  aria-label={w.removeImage(picture.name)}
                >
                  <X size={12} aria-hidden />
                </button>
              </li>
            ))}
          </ul>
        )}
        <textarea
          ref={box}
          value={text}
          rows={1}
          onChange={onText}
          onKeyDown={onKeyDown}
          onSelect={({ currentTarget }) => setCaret(currentTarget.selectionEnd)}
          onPaste={(event) => {
            const files = filesOf(event.clipboardData)
            if (files.length > 0) event.preventDefault()
            void attach(files)
          }}
          placeholder={held
            ? w.native.followPlaceholder
            : isRunning
            ? w.queuePlaceholder
            : w.promptPlaceholder}
          aria-label={w.prompt}
          aria-haspopup="listbox"
          aria-controls={options > 0 ? "slash-menu" : undefined}
          aria-autocomplete="list"
          aria-activedescendant={options > 0 ? `slash-${mark}` : undefined}
          disabled={closed || held}
        />
        <div className="composer-bar">
          {(mention !== undefined || can.images) && (
            <label className="icon-button" title={attachLabel}>
              <Paperclip size={17} aria-hidden />
              <span className="visually-hidden">{attachLabel}</span>
              <input
                type="file"
                accept={mention === undefined ? imageTypes.join(",") : undefined}
                multiple
                disabled={closed || held}
                onChange={({ target }) => {
                  void attach([...target.files ?? []])
                  target.value = ""
                }}
              />
            </label>
          )}
          <Pickers view={view} session={store.session} />
          <span className="spacer" />
          {isRunning && !isEmpty && can.steer && (
            <button
              type="button"
              className="button small"
              onClick={() => send("steer")}
              title="Ctrl+Enter"
            >
              {w.steer}
            </button>
          )}
          {isRunning && isEmpty && !held
            ? (
              <button
                type="button"
                className="send"
                data-stop
                onClick={onStop}
                aria-label={w.stopTurn}
                title={`${w.stopTurn} (Esc)`}
              >
                <Square size={13} fill="currentColor" aria-hidden />
              </button>
            )
            : (
              <button
                type="button"
                className="send"
                disabled={isEmpty || closed || held}
                onClick={() => send("queue")}
                aria-label={isRunning ? w.queue : w.send}
                title={`${isRunning ? w.queue : w.send} (Enter)`}
              >
                <ArrowUp size={17} strokeWidth={2.5} aria-hidden />
              </button>
            )}
        </div>
      </div>
      {problem !== undefined && <p className="composer-problem" role="alert">{problem}</p>}
    </div>
  )
}
