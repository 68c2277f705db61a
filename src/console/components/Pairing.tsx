/**
 * Pairing: a code for a phone to scan, which contains the relay's URL and a token for the phone; and the list
 * of current tokens.
 */
import { Smartphone } from "lucide-react"
import { useEffect, useState } from "react"
import * as http from "../relay/http.js"
import { problemOf } from "../relay/problem.js"
import { w } from "../words/words.js"
import { CopyButton } from "./CopyButton.js"

const day = 24 * 3600
const ends = [day, 7 * day, 30 * day] as const

type Kind = "view" | "prompt" | "approve"
const scopesOf = {
  view: ["view"],
  prompt: ["view", "prompt"],
  approve: ["view", "prompt", "approve"]
} as const

interface Made {
  readonly links: ReadonlyArray<string>
  readonly fragment: string
}

/** This page's own URL, if other devices can use it too: it is known to work. */
const ownAddress = (): ReadonlyArray<string> =>
  /^(localhost|127\.|\[::1\])/.test(location.hostname) ? [] : [location.origin]

const useCode = (text: string | undefined) => {
  const [svg, setSvg] = useState<string>()
  useEffect(() => {
    setSvg(undefined)
    if (text === undefined) return
    let isWanted = true
    // Few people need it.
    void import("uqr").then(({ renderSVG }) => isWanted && setSvg(renderSVG(text, { border: 2, ecc: "M" })))
    return () => void (isWanted = false)
  }, [text])
  return svg
}

const Code = ({ text }: { readonly text: string }) => {
  const svg = useCode(text)
  return svg === undefined
    ? <div className="qr" aria-busy="true" />
    : <img className="qr" alt={w.pair.code} src={`data:image/svg+xml,${encodeURIComponent(svg)}`} />
}

const Devices = ({ changed }: { readonly changed: number }) => {
  const [tokens, setTokens] = useState<ReadonlyArray<http.NamedToken>>()
  const [problem, setProblem] = useState<string>()
  const [revoked, setRevoked] = useState(0)
  useEffect(() => {
    http.tokens().then(setTokens, (error: unknown) => setProblem(problemOf(error)))
  }, [changed, revoked])
  const revoke = async (name: string) => {
    try {
      await http.revokeToken(name)
    } catch (error) {
      setProblem(problemOf(error))
    }
    setRevoked((revoked) => revoked + 1)
  }
  return (
    <>
      <h4>{w.pair.devices}</h4>
      {problem !== undefined && <p className="notice" data-level="error" role="alert">{problem}</p>}
      {tokens?.length === 0 && <p>{w.pair.none}</p>}
      <ul className="devices">
        {tokens?.map(({ expires_at, name, scopes }) => (
          <li key={name}>
            <span>
              <strong>{name}</strong>{" "}
              <small>
                {w.listOf(scopes.map((scope) => w.settings.scopes[scope]))}
                {expires_at !== undefined && ` · ${new Date(expires_at * 1000).toLocaleDateString(w.locale)}`}
              </small>
            </span>
            <button
              type="button"
              className="button small danger"
              aria-label={w.pair.revokeOf(name)}
              onClick={() => void revoke(name)}
            >
              {w.pair.revoke}
            </button>
          </li>
        ))}
      </ul>
    </>
  )
}

export const Pairing = () => {
  const [kind, setKind] = useState<Kind>("approve")
  const [seconds, setSeconds] = useState<number>(7 * day)
  const [made, setMade] = useState<Made>()
  const [link, setLink] = useState(0)
  const [problem, setProblem] = useState<string>()
  const [count, setCount] = useState(0)

  const make = async () => {
    setProblem(undefined)
    try {
      const { addresses, fragment, name } = await http.pair({ scopes: scopesOf[kind], expires_in: seconds })
      const links = [...new Set([...ownAddress(), ...addresses])]
      // Nobody could use it.
      if (links.length === 0) await http.revokeToken(name)
      setMade({ links, fragment })
      setLink(0)
      setCount((count) => count + 1)
    } catch (error) {
      setProblem(problemOf(error))
    }
  }
  const address = made?.links[link]

  return (
    <section aria-labelledby="pairing-title">
      <h3 id="pairing-title">{w.pair.title}</h3>
      {made !== undefined && address === undefined
        ? (
          <p className="notice" data-level="warning" role="alert">
            {w.pair.loopback.split(/(--host \S+)/).map((part) =>
              part.startsWith("--") ? <code key={part}>{part}</code> : part
            )}
          </p>
        )
        : made !== undefined && address !== undefined
        ? (
          <>
            <Code text={`${address}/${made.fragment}`} />
            {address.startsWith("http:") && <p className="notice" data-level="warning">{w.pair.plain}</p>}
            <div className="share-link">
              {made.links.length > 1
                ? (
                  <select
                    value={link}
                    aria-label={w.pair.address}
                    onChange={({ target }) => setLink(Number(target.value))}
                  >
                    {made.links.map((address, index) => <option key={address} value={index}>{address}
                    </option>)}
                  </select>
                )
                : <input readOnly value={address} aria-label={w.pair.address} />}
              <CopyButton text={`${address}/${made.fragment}`} />
            </div>
          </>
        )
        : (
          <>
            <p>{w.pair.help}</p>
            <label className="field">
              <span>{w.pair.may}</span>
              <select value={kind} onChange={({ target }) => setKind(target.value as Kind)}>
                {(["view", "prompt", "approve"] as const).map((value) => (
                  <option key={value} value={value}>{w.share.kinds[value]}</option>
                ))}
              </select>
            </label>
            <label className="field">
              <span>{w.pair.until}</span>
              <select value={seconds} onChange={({ target }) => setSeconds(Number(target.value))}>
                {ends.map((value, index) => (
                  <option key={value} value={value}>{w.share.ends[index + 1]}</option>
                ))}
              </select>
            </label>
            {problem !== undefined && <p className="notice" data-level="error" role="alert">{problem}</p>}
            <button type="button" className="button" onClick={() => void make()}>
              <Smartphone size={14} aria-hidden /> {w.pair.make}
            </button>
          </>
        )}
      <Devices changed={count} />
    </section>
  )
}
