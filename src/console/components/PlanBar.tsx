/**
 * PlanBar: the agent's plan as a checklist, collapsed to the current step.
 */
import { Check, ListChecks } from "lucide-react"
import { useState } from "react"
import type { PlanStep } from "../../messages/View.js"
import { w } from "../words/words.js"

export const PlanBar = ({ plan }: { readonly plan: ReadonlyArray<PlanStep> }) => {
  const [open, setOpen] = useState(false)
  if (plan.length === 0) return null
  const done = plan.filter(({ status }) => status === "completed").length
  const now = plan.find(({ status }) => status === "in_progress") ??
    plan.find(({ status }) => status === "pending")
  return (
    <section className="plan" aria-label={w.plan}>
      <button type="button" className="plan-summary" aria-expanded={open} onClick={() => setOpen(!open)}>
        <ListChecks size={15} aria-hidden />
        <span className="plan-now">
          {now === undefined ? w.planDone : (now.status === "in_progress" && now.active) || now.content}
        </span>
        <span className="muted">{w.planOf(done, plan.length)}</span>
      </button>
      {open && (
        <ol className="plan-steps">
          {plan.map(({ content, status }, index) => (
            <li key={index} data-state={status}>
              <span className="tick">
                {status === "completed" && <Check size={11} strokeWidth={3} aria-hidden />}
              </span>
              <span>{content}</span>
              <span className="visually-hidden">{w.steps[status]}</span>
            </li>
          ))}
        </ol>
      )}
    </section>
  )
}
