/**
 * ItemView: one item of the conversation, rendered again only when it has changed.
 */
import { CircleAlert, Info, TriangleAlert } from "lucide-react"
import { memo } from "react"
import type { Answer } from "../../client/browser.js"
import type { EndItem, Item, NoticeItem, RewindTold, TextItem, ToolItem } from "../../messages/View.js"
import { explain } from "../relay/problem.js"
import { w } from "../words/words.js"
import { AskCard } from "./AskCard.js"
import { Boundary } from "./Boundary.js"
import { DiffView } from "./DiffView.js"
import { Fold } from "./Fold.js"
import { LongText } from "./LongText.js"
import { Markdown } from "./Markdown.js"
import { toJson } from "./plain.js"
import { UndoButton } from "./RewindDialog.js"
import { ToolCard } from "./ToolCard.js"
import { UserBubble } from "./UserBubble.js"
import { count, duration, money, stopText } from "./words.js"

interface Props {
  readonly item: Item
  /** For a call that started a subagent: the subagent's calls. */
  readonly inner?: ReadonlyArray<ToolItem> | undefined
  readonly view: Shared
  readonly onAnswer: (request_id: string, answer: Answer) => void
  readonly onEdit?: ((text: string) => void) | undefined
}

/** What items need to know about their session. It changes seldom, so that items are not rendered again. */
export interface Shared {
  readonly tool: string
  readonly folder: string
  readonly edit_input: boolean
}

/** The list is new with each event; its contents change seldom. */
const isSame = (before: Props, after: Props): boolean =>
  before.item === after.item && before.view === after.view && before.onAnswer === after.onAnswer
  && before.onEdit === after.onEdit && before.inner?.length === after.inner?.length
  && (before.inner ?? []).every((item, index) => item === after.inner?.[index])

/** If an item fails, the others stay. */
export const ItemView = memo(
  ({ inner, item, onAnswer, onEdit, view }: Props) => (
    <Boundary text={() => "text" in item ? item.text : toJson(item)}>
      <Drawn item={item} inner={inner} view={view} onAnswer={onAnswer} onEdit={onEdit} />
    </Boundary>
  ),
  isSame
)

const Drawn = ({ inner, item, onAnswer, onEdit, view }: Props) => {
  switch (item.kind) {
    case "user":
      return (
        <UserBubble
          text={item.text}
          images={item.images}
          {...(item.steered && { note: w.steered })}
          {...(item.turn !== undefined && { turn: item.turn })}
          onEdit={onEdit}
        />
      )
    case "text":
      return <Markdown text={item.text} whole={item.whole} />
    case "reasoning":
      return <Reasoning item={item} />
    case "tool":
      return <ToolCard item={item} inner={inner} folder={view.folder} />
    case "ask":
      return <AskCard item={item} view={view} onAnswer={onAnswer} />
    case "diff":
      return <DiffView {...item} />
    case "notice":
      return <Notice item={item} />
    case "output":
      return (
        <Fold name={item.key} className="output" summary={w.agentLog}>
          <pre><LongText text={item.text} exact /></pre>
        </Fold>
      )
    case "end":
      return <End item={item} />
  }
}

/** How long it took, if long enough to notice. */
const timeOf = ({ ended_at, ts }: TextItem): string | undefined =>
  ended_at === undefined || ended_at - ts < 1 ? undefined : duration(Math.round(ended_at - ts))

const Reasoning = ({ item }: { readonly item: TextItem }) => (
  <Fold
    name={item.key}
    className="reasoning"
    summary={item.whole ? w.thought(timeOf(item)) : <span className="shimmer">{w.thinking}</span>}
  >
    <Markdown text={item.text} whole={item.whole} />
  </Fold>
)

const noticeIcons = { info: Info, warning: TriangleAlert, error: CircleAlert }

const aboutText = (about: NonNullable<NoticeItem["about"]>): string =>
  about.is === "rewound" || about.is === "rewind_undone"
    ? rewindText(about)
    : about.is === "context_full"
    ? w.contextFull(about.context_pct)
    : about.is === "cleared"
    ? w.cleared
    : about.is === "unreadable"
    ? w.eventNotShown(about.event)
    : w.compacted

const rewindText = ({ conversation, files, is, turn }: RewindTold): string =>
  [
    is === "rewound" ? w.rewind.done(turn) : w.rewind.undone(turn),
    files !== undefined && w.rewind.files(files),
    conversation !== undefined && w.rewind.conversation[conversation]
  ].filter((part) => part !== false).join(" ")

const noticeText = ({ about, code, retry, text }: NoticeItem): string =>
  about !== undefined
    ? aboutText(about)
    : retry === undefined
    ? explain(code, text)
    : [
      retry.limited ? w.retryLimited : w.retryUnreachable,
      retry.attempt !== undefined && w.attempt(retry.attempt, retry.of)
    ].filter((part) => part !== false).join(" ")

const Notice = ({ item }: { readonly item: NoticeItem }) => {
  const { level, printed = false } = item
  const Icon = noticeIcons[level]
  return (
    <div className="notice" data-level={level} data-printed={printed}>
      <Icon size={15} aria-hidden />{" "}
      <span>
        <LongText text={noticeText(item)} chars={4000} lines={30} />
      </span>
      {item.about?.is === "rewound" && <UndoButton rewind_id={item.about.rewind_id} />}
    </div>
  )
}

const End = ({ item: { stop_reason, usage } }: { readonly item: EndItem }) => {
  const parts = [
    stopText(stop_reason),
    usage?.duration_ms !== undefined && duration(usage.duration_ms / 1000),
    usage?.output_tokens !== undefined && w.outputTokens(count(usage.output_tokens)),
    usage?.cost_usd !== undefined && money(usage.cost_usd)
  ].filter((part) => typeof part === "string")
  return <p className="turn-end" data-stop={stop_reason}>{parts.join(" · ")}</p>
}
