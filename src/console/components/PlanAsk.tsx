/**
 * PlanAsk: a plan to approve, or any other request with its own options.
 */
import { ListChecks } from "lucide-react"
import { useState } from "react"
import type { Answer } from "../../client/browser.js"
import type { AskItem, AskOption } from "../../messages/View.js"
import { w } from "../words/words.js"
import { shownOf } from "./askArgs.js"
import { Markdown } from "./Markdown.js"
import { Arguments } from "./ToolAsk.js"

interface Props {
  readonly item: AskItem
  readonly onAnswer: (answer: Answer) => void
}

const usual = (): ReadonlyArray<AskOption> => [
  { option_id: "", name: w.approve, kind: "allow_once" },
  { option_id: "", name: w.notYet, kind: "reject_once" }
]

export const PlanAsk = ({ item: { args, ask, options, text, tool }, onAnswer }: Props) => {
  const [reason, setReason] = useState("")
  const offered = options.length > 0 ? options : usual()
  const isYes = ({ kind }: AskOption) => kind === "allow_once" || kind === "allow_always"
  const choose = (option: AskOption) =>
    onAnswer({
      behavior: isYes(option) ? "allow" : "deny",
      ...(option.option_id !== "" && { option_id: option.option_id }),
      ...(!isYes(option) && reason.trim() !== "" && { message: reason.trim() })
    })
  const first = offered.findIndex(isYes)
  return (
    <section className="ask" aria-label={ask === "plan" ? w.plan : w.request}>
      <h2>
        <ListChecks size={17} aria-hidden /> {ask === "plan" ? w.askPlan : tool || w.agentAsks}
      </h2>
      {text !== "" && (
        <div className="ask-plan" tabIndex={0}>
          <Markdown text={text} whole />
        </div>
      )}
      {ask !== "plan" && <Arguments rest={shownOf(tool, args).rest} />}
      <input
        className="ask-reason"
        value={reason}
        onChange={({ target }) => setReason(target.value)}
        placeholder={w.planReason}
        aria-label={w.planReasonLabel}
      />
      <div className="ask-buttons">
        {offered.map((option, index) => (
          <button
            key={`${option.option_id}-${option.name}`}
            type="button"
            className={`button ${index === first ? "primary" : isYes(option) ? "" : "danger"}`}
            onClick={() => choose(option)}
          >
            {option.name}
          </button>
        ))}
      </div>
    </section>
  )
}
