/**
 * TokenForm: asks for the relay's access token. It is stored for this tab only.
 */
import { KeyRound } from "lucide-react"
import { type FormEvent, useEffect, useState } from "react"
import { onKeptToken } from "../relay/address.js"
import { w } from "../words/words.js"

interface Props {
  readonly problem: string | undefined
  readonly onToken: (token: string) => void
}

export const TokenForm = ({ onToken, problem }: Props) => {
  const [token, setToken] = useState("")
  // One that is entered in another tab, and kept for the browser, is for this one, too.
  useEffect(() => onKeptToken(onToken))
  const onSubmit = (event: FormEvent) => {
    event.preventDefault()
    onToken(token.trim())
  }
  return (
    <form className="start-form token-form" onSubmit={onSubmit}>
      <KeyRound size={28} aria-hidden />
      <h1>{w.accessToken}</h1>
      <p className="lead">{w.tokenLead}</p>
      {problem !== undefined && <p className="notice" data-level="error" role="alert">{problem}</p>}
      <label className="field">
        <span>{w.token}</span>
        <input
          type="password"
          value={token}
          onChange={({ target }) => setToken(target.value)}
          autoFocus
          required
        />
      </label>
      <button type="submit" className="button primary large">{w.connect}</button>
    </form>
  )
}
