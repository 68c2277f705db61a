/**
 * Meter: how full the context is, and the session's cost.
 */
import type { View } from "../../messages/View.js"
import { w } from "../words/words.js"
import { count, money } from "./words.js"

export const Meter = ({ view }: { readonly view: View }) => {
  const { context_pct, context_tokens, context_window, cost } = view
  const level = (context_pct ?? 0) >= 85 ? "high" : (context_pct ?? 0) >= 60 ? "middle" : "low"
  const tokens = context_tokens !== undefined && context_window !== undefined
    ? w.contextOf(count(context_tokens), count(context_window))
    : w.contextUnknown
  return (
    <div className="meters">
      {context_pct !== undefined && (
        <div className="meter" title={tokens}>
          <div
            className="meter-track"
            role="meter"
            aria-label={w.context}
            aria-valuemin={0}
            aria-valuemax={100}
            aria-valuenow={Math.round(context_pct)}
            data-level={level}
          >
            <div style={{ width: `${Math.min(100, Math.max(6, context_pct))}%` }} />
          </div>
          <span>{Math.round(context_pct)}%</span>
        </div>
      )}
      {cost > 0 && <span className="cost" title={w.sessionCost}>{money(cost)}</span>}
    </div>
  )
}
