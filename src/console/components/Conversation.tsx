/**
 * Conversation: the transcript, live or past, and the prompt box.
 */
import {
  lazy,
  type ReactNode,
  Suspense,
  useCallback,
  useEffect,
  useMemo,
  useRef,
  useState,
  useSyncExternalStore
} from "react"
import { whoDrives } from "../../messages/driving.js"
import { toMarkdown } from "../../messages/toMarkdown.js"
import { openAsks, type View } from "../../messages/View.js"
import { rememberFolder } from "../relay/kept.js"
import type { PastStore } from "../relay/PastStore.js"
import type { SessionStore } from "../relay/SessionStore.js"
import { w } from "../words/words.js"
import { useBeside } from "./beside/useBeside.js"
import { type Command, useCommands } from "./commands.js"
import { Composer } from "./Composer.js"
import { copyText } from "./CopyButton.js"
import { DriverBar } from "./DriverBar.js"
import { Folds } from "./Folds.js"
import { Inspector } from "./Inspector.js"
import { isComposing } from "./isComposing.js"
import { LimitBanner } from "./LimitBanner.js"
import { LinkBanner } from "./LinkBanner.js"
import { NativeBanner } from "./NativeBanner.js"
import { PlanBar } from "./PlanBar.js"
import { Rewinding } from "./RewindDialog.js"
import { useMay, Watching } from "./rights.js"
import { SessionHeader } from "./SessionHeader.js"
import { SuggestBox } from "./SuggestBox.js"
import { Transcript } from "./Transcript.js"
import { isWriting } from "./useKeys.js"
import { sessionName } from "./words.js"

const TerminalView = lazy(() =>
  import("./TerminalView.js").then(({ TerminalView }) => ({ default: TerminalView }))
)

/** The first prompt names a session until it has a title. */
const nameOf = (view: View, title: string | undefined): string => {
  const first = view.items.find((item) => item.kind === "user")
  const prompt = first?.kind === "user" ? first.text.trim().split("\n", 1)[0]?.slice(0, 80) : undefined
  return sessionName(
    view.tool,
    view.folder,
    title ?? view.title ?? (view.tool === "demo" ? undefined : prompt)
  )
}

const useTitle = (name: string, mark: string) =>
  useEffect(() => {
    document.title = `${mark}${name || "ai-relay"}`
    return () => void (document.title = "ai-relay")
  }, [mark, name])

const Body = ({ children, store, view }: {
  readonly view: View
  readonly store: SessionStore | PastStore
  readonly children: ReactNode
}) =>
  view.can.terminal
    ? (
      <Suspense fallback={<div className="terminal" aria-busy="true" />}>
        <TerminalView store={store} />
      </Suspense>
    )
    : <Folds>{children}</Folds>

/** Escape there belongs to the box, or would cost an answer that is half written. */
const isWritingElsewhere = (target: EventTarget | null): boolean =>
  isWriting(target) && target.closest(".composer") === null
  && !(target.closest(".ask") !== null && "value" in target && target.value === "")

/** The palette's commands for the current session. */
const useSessionCommands = (
  store: SessionStore | PastStore,
  stop: (() => void) | undefined,
  inspect: () => void
) => {
  const latest = useRef(inspect)
  latest.current = inspect
  const commands = useMemo((): ReadonlyArray<Command> => [
    {
      id: "markdown",
      name: w.copyMarkdown,
      run: () => void copyText(toMarkdown(store.state().view))
    },
    { id: "events", name: w.events, run: () => latest.current() },
    ...stop === undefined ? [] : [{ id: "stop", name: w.stopTurn, keys: "Esc", run: stop }]
  ], [stop, store])
  useCommands(commands)
}

interface PastProps {
  readonly store: PastStore
  readonly name: string | undefined
  /** Why it cannot be resumed. */
  readonly problem: string | undefined
  readonly onResume: () => void
  /** A terminal has it open: follow it. */
  readonly onFollow: (() => void) | undefined
  readonly onMenu: () => void
  /** Number of other sessions waiting for an answer. */
  readonly others: number
}

const nothing = () => {}

/** A read-only view of a session that is over. */
export const Past = ({ name, onFollow, onMenu, onResume, others, problem, store }: PastProps) => {
  const state = useSyncExternalStore(store.subscribe, store.state)
  const [inspecting, setInspecting] = useState(false)
  const may = useMay()
  const title = nameOf(state.view, name)
  useTitle(title, others > 0 ? `(${others}) ` : "")
  useSessionCommands(store, undefined, () => setInspecting(true))
  const { beside, isOpen, toggle } = useBeside(store.session_id, state.view)
  return (
    <>
      <main className="page session">
        <SessionHeader
          state={state}
          name={title}
          session={undefined}
          onBeside={toggle}
          isBesideOpen={isOpen}
          onMenu={onMenu}
          onInspect={() => setInspecting(true)}
        />
        <div
          className="banner"
          role={problem === undefined ? "status" : "alert"}
          data-level={problem === undefined ? "info" : "error"}
        >
          <span>{problem ?? w.readOnly}</span>
          {onFollow !== undefined && (
            <button type="button" className="button small" onClick={onFollow}>{w.native.follow}</button>
          )}
          {may("prompt") && (
            <button type="button" className="button small" onClick={onResume}>
              {problem === undefined ? w.resume : w.tryAgain}
            </button>
          )}
        </div>
        <Body view={state.view} store={store}>
          <Transcript state={state} onAnswer={nothing} onPrompt={nothing} />
        </Body>
        {inspecting && (
          <Inspector
            events={store.events}
            session_id={store.session_id}
            count={state.count}
            raw={false}
            onRaw={undefined}
            onClose={() => setInspecting(false)}
          />
        )}
      </main>
      {beside}
    </>
  )
}

interface Props {
  readonly store: SessionStore
  readonly name: string | undefined
  readonly raw: boolean
  readonly onRaw: (raw: boolean) => void
  readonly onMenu: () => void
  /** The relay lists it no longer. */
  readonly gone: boolean
  readonly onReopen: () => void
  /** Open it to follow what a terminal writes. */
  readonly onFollow: () => void
  /** Number of other sessions waiting for an answer. */
  readonly others: number
}

export const Conversation = (props: Props) => {
  const { view } = useSyncExternalStore(props.store.subscribe, props.store.state)
  return (
    <Watching value={whoDrives(view) === "other"}>
      <Live {...props} mayDrive={useMay()("prompt")} />
    </Watching>
  )
}

const Live = (
  { gone, mayDrive, name, onFollow, onMenu, onRaw, onReopen, others, raw, store }: Props & {
    /** It may be driven from here, though another client drives now. */
    readonly mayDrive: boolean
  }
) => {
  const state = useSyncExternalStore(store.subscribe, store.state)
  const [inspecting, setInspecting] = useState(false)
  const may = useMay()
  const [returned, setReturned] = useState("")
  const { link, view } = state
  const stop = useCallback(() => {
    // Queued prompts will not run, but they are not lost either.
    setReturned(store.stop().filter((text) => text !== "").join("\n\n"))
  }, [store])
  const onReturned = useCallback(() => setReturned(""), [])
  const { refused } = state
  useEffect(() => {
    if (refused === "") return
    setReturned(refused)
    store.takeRefused()
  }, [refused, store])
  const isRunning = view.turn !== undefined
  const waits = openAsks(view).length > 0
  const title = nameOf(view, name)
  useTitle(title, (others > 0 ? `(${others}) ` : "") + (waits ? "● " : isRunning ? "… " : ""))

  // A refused folder must not be offered again.
  const { folder, started } = view
  useEffect(() => {
    if (started && folder !== "" && view.tool !== "demo") rememberFolder(folder)
  }, [folder, started, view.tool])

  const mayStop = may("prompt")
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== "Escape" || event.defaultPrevented || isComposing(event)) return
      if (!isRunning || inspecting || !mayStop || isWritingElsewhere(event.target)) return
      if (document.querySelector("dialog[open], .sidebar[data-open=true]") !== null) return
      stop()
    }
    addEventListener("keydown", onKey)
    return () => removeEventListener("keydown", onKey)
  }, [inspecting, isRunning, mayStop, stop])

  const isClosed = link.status === "closed"
  useSessionCommands(store, isRunning && mayStop ? stop : undefined, () => setInspecting(true))
  const mention = useRef<(path: string) => void>(undefined)
  const { beside, isOpen, toggle } = useBeside(
    store.session.session_id,
    view,
    may("prompt") && !isClosed && !view.can.terminal ? mention : undefined
  )
  return (
    <>
      <main className="page session">
        <SessionHeader
          state={state}
          name={title}
          session={store.session}
          onBeside={toggle}
          isBesideOpen={isOpen}
          onMenu={onMenu}
          onInspect={() => setInspecting(true)}
        />
        <LinkBanner gone={gone} link={link} view={view} onReopen={onReopen} onFollow={onFollow} />
        {!isClosed && may("prompt") && <NativeBanner view={view} session={store.session} />}
        {!isClosed && <DriverBar view={view} session={store.session} mayDrive={mayDrive} />}
        <LimitBanner view={view} session={isClosed || !may("prompt") ? undefined : store.session} />
        {/* For screen readers. */}
        <p className="visually-hidden" role="status">
          {waits ? w.waitingForYou : started && !isClosed ? w.state[isRunning ? "working" : "ready"] : ""}
        </p>
        <Body view={view} store={store}>
          <Rewinding session={isClosed || !may("prompt") ? undefined : store.session} view={view}>
            <Transcript
              state={state}
              onAnswer={store.answer}
              onPrompt={(text) => store.prompt(text, "queue")}
              onEdit={may("prompt") && !isClosed ? setReturned : undefined}
            />
          </Rewinding>
          {/* An agent that never started cannot be talked to. */}
          {(started || !isClosed) && (
            <div className="dock">
              <PlanBar plan={view.plan} />
              {may("prompt")
                ? (
                  <Composer
                    view={view}
                    store={store}
                    closed={isClosed}
                    held={view.native?.drive === "following" && view.native.open !== undefined
                      && view.native.open.joins !== true}
                    returned={returned}
                    onReturned={onReturned}
                    onStop={stop}
                    mention={mention}
                  />
                )
                : mayDrive && !isClosed && !view.can.terminal
                ? <SuggestBox session={store.session} />
                : <p className="muted watching">{w.share.watching}</p>}
            </div>
          )}
        </Body>
        {inspecting && (
          <Inspector
            events={store.events}
            session_id={store.session.session_id}
            count={state.count}
            raw={raw}
            onRaw={onRaw}
            onClose={() => setInspecting(false)}
          />
        )}
      </main>
      {beside}
    </>
  )
}
