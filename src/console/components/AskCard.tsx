/**
 * AskCard: the agent's question and the ways to answer it. Once it is settled, a line remains, or its tool's
 * card shows the outcome.
 */
import { Check, CircleSlash, Minus } from "lucide-react"
import type { Answer } from "../../client/browser.js"
import type { AskItem } from "../../messages/View.js"
import { w } from "../words/words.js"
import { BudgetAsk } from "./BudgetAsk.js"
import { inOneLine } from "./hiddenChars.js"
import type { Shared } from "./ItemView.js"
import { short } from "./plain.js"
import { PlanAsk } from "./PlanAsk.js"
import { QuestionForm } from "./QuestionForm.js"
import { useMay } from "./rights.js"
import { ToolAsk } from "./ToolAsk.js"
import { toolSubject, toolVerb } from "./toolWords.js"
import { useAskFocus } from "./useAskFocus.js"
import { agentName, reasonText } from "./words.js"

interface Props {
  readonly item: AskItem
  readonly view: Shared
  readonly onAnswer: (request_id: string, answer: Answer) => void
}

export const AskCard = ({ item, onAnswer, view }: Props) => {
  const may = useMay()
  if (item.state === "open" && !may("approve")) {
    return (
      // Fully visible, with nothing to press.
      <fieldset className="watched" disabled>
        <Open item={item} onAnswer={onAnswer} view={view} />
        <p className="muted watching">{w.share.notYours}</p>
      </fieldset>
    )
  }
  if (item.state !== "open") return item.onCard ? null : <Settled item={item} folder={view.folder} />
  return <Open item={item} onAnswer={onAnswer} view={view} />
}

const Open = (props: Props) => {
  const { onKeyDown, place } = useAskFocus()
  return (
    <div ref={place} onKeyDown={onKeyDown}>
      <Asked {...props} />
    </div>
  )
}

const Asked = ({ item, onAnswer, view }: Props) => {
  const answer = (answer: Answer) => onAnswer(item.request_id, answer)
  if (item.ask === "question") {
    return <QuestionForm item={item} agent={agentName(view.tool)} onAnswer={answer} />
  }
  if (item.ask === "tool") return <ToolAsk item={item} canEdit={view.edit_input} onAnswer={answer} />
  if (item.ask === "budget") return <BudgetAsk item={item} onAnswer={answer} />
  return <PlanAsk item={item} onAnswer={answer} />
}

/** The outcome as text. */
export const decidedText = ({ ask, decided }: Pick<AskItem, "ask" | "decided">): string => {
  const { answers, forSession, reason, updated, verdict } = decided ?? { verdict: "cancelled" }
  if (verdict === "cancelled") return reasonText(reason)
  if (ask === "question") {
    return verdict === "denied"
      ? w.decided.skipped
      : w.answered(short(Object.values(answers ?? {}).join(" · ") || "✓"))
  }
  if (ask === "plan" && verdict === "allowed") return w.decided.planApproved
  const said = reason === undefined ? "" : `: ${short(inOneLine(reason))}`
  if (ask === "plan") return w.decided.planRejected + said
  if (verdict === "denied") return w.decided.denied + said
  const allowed = forSession === true ? w.decided.allowedForSession : w.decided.allowed
  return updated === undefined ? allowed : `${allowed}, ${w.decided.edited}`
}

const icons = { allowed: Check, denied: CircleSlash, cancelled: Minus, open: Minus }

const Settled = ({ folder, item }: { readonly item: AskItem; readonly folder: string }) => {
  const { args, ask, decided, state, tool } = item
  const Icon = icons[state]
  const ran = decided?.updated !== undefined && decided.updated !== true ? decided.updated : args
  const what = ask === "tool" ? `${toolVerb(tool)} ${short(inOneLine(toolSubject(ran, tool, folder)))}` : ""
  return (
    <p className="settled" data-state={state}>
      <Icon size={13} strokeWidth={2.5} aria-hidden />
      {what !== "" && <span className="settled-what">{what}</span>}
      <span>{decidedText(item)}</span>
    </p>
  )
}
