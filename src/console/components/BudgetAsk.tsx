/**
 * BudgetAsk: a budget is used up. Continue with an adjustable amount, or stop here.
 */
import { Wallet } from "lucide-react"
import { useState } from "react"
import type { Answer } from "../../client/browser.js"
import type { AskItem } from "../../messages/View.js"
import { w } from "../words/words.js"

interface Props {
  readonly item: AskItem
  readonly onAnswer: (answer: Answer) => void
}

const fieldOf = (args: unknown, name: string): unknown =>
  typeof args === "object" && args !== null ? (args as Readonly<Record<string, unknown>>)[name] : undefined

export const BudgetAsk = ({ item: { args, text }, onAnswer }: Props) => {
  const suggested = fieldOf(args, "raise_by")
  const [amount, setAmount] = useState(typeof suggested === "number" ? String(suggested) : "1")
  const raise_by = Number(amount)
  const isAmount = amount.trim() !== "" && Number.isFinite(raise_by) && raise_by > 0
  const units: Readonly<Record<string, string>> = w.budget.units
  const unit = units[String(fieldOf(args, "unit"))] ?? ""
  return (
    <section className="ask" aria-label={w.budget.usedUp}>
      <h2>
        <Wallet size={17} aria-hidden /> {w.budget.usedUp}
      </h2>
      <p className="ask-text">{text}</p>
      <label className="ask-amount">
        {w.budget.allow}{" "}
        <input
          value={amount}
          onChange={({ target }) => setAmount(target.value)}
          inputMode="decimal"
          aria-label={`${w.budget.howMuch} (${unit})`}
          aria-invalid={!isAmount}
        />{" "}
        {w.budget.more} {unit}
      </label>
      <div className="ask-buttons">
        <button
          type="button"
          className="button primary"
          disabled={!isAmount}
          onClick={() => onAnswer({ behavior: "allow", option_id: "raise", updatedInput: { raise_by } })}
        >
          {w.budget.goOn}
        </button>
        <button
          type="button"
          className="button danger"
          onClick={() => onAnswer({ behavior: "deny", option_id: "stop" })}
        >
          {w.budget.stop}
        </button>
      </div>
    </section>
  )
}
