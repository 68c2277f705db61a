/**
 * IconButton: a button that shows only an icon; its label is its accessible name and its tooltip.
 */
import type { ReactNode } from "react"

interface Props {
  readonly label: string
  readonly onClick: () => void
  readonly children: ReactNode
}

export const IconButton = ({ children, label, onClick }: Props) => (
  <button type="button" className="icon-button" onClick={onClick} aria-label={label} title={label}>
    {children}
  </button>
)
