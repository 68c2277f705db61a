/**
 * Pickers: the model and the permission mode, if they can be changed.
 */
import { ChevronDown } from "lucide-react"
import type { Session } from "../../client/browser.js"
import { choicesOfMode } from "../../messages/settings.js"
import type { View } from "../../messages/View.js"
import { w } from "../words/words.js"
import { useMay } from "./rights.js"
import { modelName, modeName } from "./words.js"

interface PickerProps {
  readonly label: string
  readonly value: string
  readonly options: ReadonlyArray<{ readonly value: string; readonly name: string }>
  /** The name of a value that is not among the options. */
  readonly unknown?: string
  readonly onChoose: (value: string) => void
}

const Picker = ({ label, onChoose, options, unknown, value }: PickerProps) => {
  const known = options.some((option) => option.value === value)
  return (
    <span className="picker">
      <select
        aria-label={label}
        title={label}
        value={value}
        onChange={({ target }) => onChoose(target.value)}
      >
        {!known && <option value={value}>{value === "" ? label : unknown ?? value}</option>}
        {options.map(({ name, value }) => <option key={value} value={value}>{name}</option>)}
      </select>
      <ChevronDown size={13} aria-hidden />
    </span>
  )
}

export const Pickers = ({ session, view }: { readonly view: View; readonly session: Session }) => {
  const { can, mode = "", model = "", models } = view
  const may = useMay()
  const modes = may("approve") ? choicesOfMode(view) : []
  return (
    <>
      {modes.length > 0 && (
        <Picker
          label={w.mode}
          value={mode}
          options={modes.map(({ name, value }) => ({ value, name: name || modeName(value) }))}
          onChoose={(mode) => void session.setMode(mode)}
        />
      )}
      {can.set_model && models.length > 0 && (
        <Picker
          label={w.model}
          value={model}
          options={models}
          unknown={modelName(model, models)}
          onChoose={(model) => void session.setModel(model)}
        />
      )}
    </>
  )
}
