/** PlanAsk: a plan to approve, or any other request that brings its own answers. */
import { ListChecks } from "lucide-react"
import { useState } from "react"
import type { Answer } from "../../client/browser.js"
import type { AskItem, AskOption } from "../model/View.js"
import { Markdown } from "./Markdown.js"

interface Props {
  readonly item: AskItem
  readonly onAnswer: (answer: Answer) => void
}

const usual: ReadonlyArray<AskOption> = [
  { option_id: "", name: "Approve", kind: "allow_once" },
  { option_id: "", name: "Not yet", kind: "reject_once" }
]

export const PlanAsk = ({ item: { ask, options, text, tool }, onAnswer }: Props) => {
  const [reason, setReason] = useState("")
  const offered = options.length > 0 ? options : usual
  const isYes = ({ kind }: AskOption) => kind === "allow_once" || kind === "allow_always"
  const choose = (option: AskOption) =>
    onAnswer({
      behavior: isYes(option) ? "allow" : "deny",
      ...(option.option_id !== "" && { option_id: option.option_id }),
      ...(!isYes(option) && reason.trim() !== "" && { message: reason.trim() })
    })
  const first = offered.findIndex(isYes)
  return (
    <section className="ask" aria-label={ask === "plan" ? "Plan" : "Request"}>
      <h2>
        <ListChecks size={17} aria-hidden />{" "}
        {ask === "plan" ? "Go ahead with this plan?" : tool || "The agent asks"}
      </h2>
      {text !== "" && (
        <div className="ask-plan" tabIndex={0}>
          <Markdown text={text} whole />
        </div>
      )}
      <input
        className="ask-reason"
        value={reason}
        onChange={({ target }) => setReason(target.value)}
        placeholder="What should be different (optional, with a no)"
        aria-label="What should be different"
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
