/**
 * Settings: this device's settings, the relay's details, and the client's identity and rights.
 */
import { Settings2 } from "lucide-react"
import { lazy, type ReactNode, Suspense, useRef, useState } from "react"
import { isTokenKept, keepToken, token } from "../relay/address.js"
import { w } from "../words/words.js"
import { LanguageChoice } from "./LanguageChoice.js"
import { Notifying } from "./Notifying.js"
import { useMay } from "./rights.js"
import { ThemeButton } from "./ThemeButton.js"
import type { Relay } from "./useRelay.js"

const Pairing = lazy(() => import("./Pairing.js").then(({ Pairing }) => ({ default: Pairing })))

const Fact = ({ children, name }: { readonly name: string; readonly children: ReactNode }) => (
  <div>
    <dt>{name}</dt>
    <dd>{children}</dd>
  </div>
)

const About = ({ relay: { home, self } }: { readonly relay: Relay }) => {
  if (self === undefined) return null
  const { agents = [], expires_at, folders = [], machine, name, scopes = [], sessions = [], version } = self
  const limits = [...sessions, ...folders, ...agents]
  return (
    <section aria-labelledby="about-title">
      <h3 id="about-title">{w.settings.about}</h3>
      <dl className="facts">
        {version !== undefined && <Fact name={w.settings.version}>{version}</Fact>}
        {machine !== undefined && <Fact name={w.settings.machine}>{machine}</Fact>}
        {home !== undefined && <Fact name={w.settings.folder}>{home}</Fact>}
        <Fact name={w.settings.you}>{name ?? w.settings.local}</Fact>
        <Fact name={w.settings.may}>{w.listOf(scopes.map((scope) => w.settings.scopes[scope]))}</Fact>
        {limits.length > 0 && <Fact name={w.settings.limits}>{limits.join(", ")}</Fact>}
        {expires_at !== undefined && (
          <Fact name={w.settings.until}>{new Date(expires_at * 1000).toLocaleString(w.locale)}</Fact>
        )}
      </dl>
    </section>
  )
}

const ThisDevice = () => {
  const [isKept, setKept] = useState(isTokenKept)
  return (
    <section aria-labelledby="device-title">
      <h3 id="device-title">{w.settings.device}</h3>
      <div className="settings-row">
        <ThemeButton /> <LanguageChoice />
      </div>
      {token() !== undefined && (
        <label className="check">
          <input
            type="checkbox"
            checked={isKept}
            onChange={({ target }) => {
              keepToken(target.checked)
              setKept(target.checked)
            }}
          />{" "}
          {w.settings.keep}
        </label>
      )}
    </section>
  )
}

export const Settings = ({ relay }: { readonly relay: Relay }) => {
  const dialog = useRef<HTMLDialogElement>(null)
  const [isOpen, setOpen] = useState(false)
  const may = useMay()
  const open = () => {
    setOpen(true)
    dialog.current?.showModal()
  }
  return (
    <>
      <button
        type="button"
        className="icon-button"
        id="open-settings"
        onClick={open}
        aria-label={w.settings.title}
        title={w.settings.title}
      >
        <Settings2 size={17} aria-hidden />
      </button>
      <dialog
        className="confirm settings"
        ref={dialog}
        aria-labelledby="settings-title"
        onClose={() => setOpen(false)}
      >
        {isOpen && (
          <>
            <h2 id="settings-title">{w.settings.title}</h2>
            <Notifying />
            {may("admin") && relay.self?.folders === undefined && (
              <Suspense fallback={<div aria-busy="true" />}>
                <Pairing />
              </Suspense>
            )}
            <ThisDevice />
            <About relay={relay} />
            <form method="dialog" className="ask-buttons">
              <button type="submit" className="button">{w.settings.close}</button>
            </form>
          </>
        )}
      </dialog>
    </>
  )
}
