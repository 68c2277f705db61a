/** BudgetAsk: a budget is used up. Go on, by an amount that can be changed, or stop here. */
import { Wallet } from "lucide-react"
import { useState } from "react"
import type { Answer } from "../../client/browser.js"
import type { AskItem } from "../model/View.js"

interface Props {
  readonly item: AskItem
  readonly onAnswer: (answer: Answer) => void
}

const units: Readonly<Record<string, string>> = {
  cost_usd: "US dollars",
  tokens: "tokens",
  input_tokens: "input tokens",
  output_tokens: "output tokens",
  cached_input_tokens: "cached tokens",
  turns: "turns",
  minutes: "minutes",
  context_pct: "% of the context"
}

const fieldOf = (args: unknown, name: string): unknown =>
  typeof args === "object" && args !== null ? (args as Readonly<Record<string, unknown>>)[name] : undefined

export const BudgetAsk = ({ item: { args, text }, onAnswer }: Props) => {
  const suggested = fieldOf(args, "raise_by")
  const [amount, setAmount] = useState(typeof suggested === "number" ? String(suggested) : "1")
  const raise_by = Number(amount)
  const isAmount = amount.trim() !== "" && Number.isFinite(raise_by) && raise_by > 0
  const unit = units[String(fieldOf(args, "unit"))] ?? ""
  return (
    <section className="ask" aria-label="Budget">
      <h2>
        <Wallet size={17} aria-hidden /> Budget used up
      </h2>
      <p className="ask-text">{text}</p>
      <label className="ask-amount">
        Allow{" "}
        <input
          value={amount}
          onChange={({ target }) => setAmount(target.value)}
          inputMode="decimal"
          aria-label={`How many more ${unit}`}
          aria-invalid={!isAmount}
        />{" "}
        more {unit}
      </label>
      <div className="ask-buttons">
        <button
          type="button"
          className="button primary"
          disabled={!isAmount}
          onClick={() => onAnswer({ behavior: "allow", option_id: "raise", updatedInput: { raise_by } })}
        >
          Continue
        </button>
        <button
          type="button"
          className="button danger"
          onClick={() => onAnswer({ behavior: "deny", option_id: "stop" })}
        >
          Stop here
        </button>
      </div>
    </section>
  )
}
