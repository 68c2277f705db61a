/**
 * Notifying: whether this device shows notifications, with a button to change that, and whether it plays a
 * sound.
 */
import { Bell, BellOff } from "lucide-react"
import { useEffect, useState } from "react"
import { setSound, sound } from "../relay/kept.js"
import { type Notifying as State, stateOf, turnOff, turnOn } from "../relay/notifications.js"
import { problemOf } from "../relay/problem.js"
import { w } from "../words/words.js"
import { playSound } from "./playSound.js"

export const Notifying = () => {
  const [state, setState] = useState<State>()
  const [isBusy, setBusy] = useState(false)
  const [problem, setProblem] = useState<string>()
  const [isSounding, setSounding] = useState(sound)
  useEffect(() => void stateOf().then(setState), [])
  const isOn = state === "push" || state === "page"
  const change = async () => {
    setBusy(true)
    setProblem(undefined)
    try {
      setState(await (isOn ? turnOff() : turnOn()))
    } catch (error) {
      setProblem(problemOf(error))
    }
    setBusy(false)
  }
  return (
    <section aria-labelledby="notifying-title">
      <h3 id="notifying-title">{w.settings.notifications}</h3>
      <p role="status">{state !== undefined && w.settings.states[state]}</p>
      {problem !== undefined && <p className="notice" data-level="error" role="alert">{problem}</p>}
      {(isOn || state === "off") && (
        <button
          type="button"
          className="button"
          disabled={isBusy}
          onClick={() => void change()}
        >
          {isOn ? <BellOff size={14} aria-hidden /> : <Bell size={14} aria-hidden />}{" "}
          {isOn ? w.settings.notifyOff : w.settings.notifyOn}
        </button>
      )}
      <label className="check">
        <input
          type="checkbox"
          checked={isSounding}
          onChange={({ target }) => {
            setSounding(target.checked)
            setSound(target.checked)
            if (target.checked) playSound()
          }}
        />{" "}
        {w.settings.sound}
      </label>
    </section>
  )
}
