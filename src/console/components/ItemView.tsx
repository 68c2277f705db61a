/** ItemView: one item of the conversation, drawn again only when it has changed. */
import { CircleAlert, Info, TriangleAlert } from "lucide-react"
import { memo } from "react"
import type { Session } from "../../client/browser.js"
import type { EndItem, Item, NoticeItem, TextItem } from "../model/View.js"
import { AskCard } from "./AskCard.js"
import { DiffView } from "./DiffView.js"
import { Fold } from "./Fold.js"
import { Markdown } from "./Markdown.js"
import { ToolCard } from "./ToolCard.js"
import { UserBubble } from "./UserBubble.js"
import { count, duration, money, stopText } from "./words.js"

interface Props {
  readonly item: Item
  readonly session: Session
}

export const ItemView = memo(({ item, session }: Props) => {
  switch (item.kind) {
    case "user":
      return (
        <UserBubble
          text={item.text}
          images={item.images}
          {...(item.steered && { note: "said during the turn" })}
        />
      )
    case "text":
      return <Markdown text={item.text} whole={item.whole} />
    case "reasoning":
      return <Reasoning item={item} />
    case "tool":
      return <ToolCard item={item} />
    case "ask":
      return <AskCard item={item} session={session} />
    case "diff":
      return <DiffView {...item} />
    case "notice":
      return <Notice item={item} />
    case "output":
      return (
        <Fold name={item.key} className="output" summary="Output of the agent's program">
          <pre>{item.text}</pre>
        </Fold>
      )
    case "end":
      return <End item={item} />
  }
})

const Reasoning = ({ item }: { readonly item: TextItem }) => (
  <Fold
    name={item.key}
    className="reasoning"
    summary={item.whole ? "Thought about it" : <span className="shimmer">Thinking…</span>}
  >
    <Markdown text={item.text} whole={item.whole} />
  </Fold>
)

const noticeIcons = { info: Info, warning: TriangleAlert, error: CircleAlert }

const Notice = ({ item: { level, text } }: { readonly item: NoticeItem }) => {
  const Icon = noticeIcons[level]
  return (
    <p className="notice" data-level={level}>
      <Icon size={15} aria-hidden /> <span>{text}</span>
    </p>
  )
}

const End = ({ item: { stop_reason, usage } }: { readonly item: EndItem }) => {
  const parts = [
    stopText(stop_reason),
    usage?.duration_ms !== undefined && duration(usage.duration_ms / 1000),
    usage?.output_tokens !== undefined && `${count(usage.output_tokens)} tokens out`,
    usage?.cost_usd !== undefined && money(usage.cost_usd)
  ].filter((part) => typeof part === "string")
  return <p className="turn-end" data-stop={stop_reason}>{parts.join(" · ")}</p>
}
