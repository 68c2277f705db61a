/** AskCard: what the agent asks, and the ways to answer. Once it is settled a line remains. */
import { Check, CircleSlash, Minus } from "lucide-react"
import type { Answer, Session } from "../../client/browser.js"
import type { AskItem } from "../model/View.js"
import { BudgetAsk } from "./BudgetAsk.js"
import { PlanAsk } from "./PlanAsk.js"
import { QuestionForm } from "./QuestionForm.js"
import { ToolAsk } from "./ToolAsk.js"
import { toolSubject, toolVerb } from "./toolWords.js"
import { reasonText } from "./words.js"

interface Props {
  readonly item: AskItem
  readonly session: Session
}

export const AskCard = ({ item, session }: Props) => {
  if (item.state !== "open") return <Settled item={item} />
  const answer = (answer: Answer) => void session.respond(item.request_id, answer)
  const Form = forms[item.ask]
  return <Form item={item} onAnswer={answer} />
}

const forms = { tool: ToolAsk, plan: PlanAsk, question: QuestionForm, budget: BudgetAsk, other: PlanAsk }

const titles = {
  tool: "",
  plan: "The plan",
  question: "The question",
  budget: "More budget",
  other: "The request"
}

const Settled = ({ item }: { readonly item: AskItem }) => {
  const { args, ask, reason, state, tool } = item
  const icons = { allowed: Check, denied: CircleSlash, cancelled: Minus, open: Minus }
  const Icon = icons[state]
  const words = state === "allowed"
    ? ask === "question" ? "answered" : "allowed"
    : state === "denied"
    ? ask === "question" ? "not answered" : "denied"
    : reasonText(reason)
  const what = titles[ask] || `${toolVerb(tool)} ${toolSubject(args)}`
  return (
    <p className="settled" data-state={state}>
      <Icon size={13} strokeWidth={2.5} aria-hidden />
      <span className="settled-what">{what}</span>
      <span>{words}</span>
    </p>
  )
}
