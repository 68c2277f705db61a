/**
 * Fold: a line that expands.
 */
import { ChevronRight } from "lucide-react"
import type { ReactNode } from "react"
import { useFold } from "./Folds.js"

interface Props {
  readonly name: string
  readonly open?: boolean
  readonly className?: string
  readonly summary: ReactNode
  readonly children: ReactNode
}

export const Fold = ({ children, className = "", name, open = false, summary }: Props) => {
  const [isOpen, setOpen] = useFold(name, open)
  return (
    <div className={`fold ${className}`} data-open={isOpen}>
      <button type="button" className="fold-summary" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        <ChevronRight size={14} className="fold-chevron" aria-hidden />
        {summary}
      </button>
      {isOpen && <div className="fold-body">{children}</div>}
    </div>
  )
}
