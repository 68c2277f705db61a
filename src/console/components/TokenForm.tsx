/** TokenForm: asks for the relay's access token. It is kept for this tab only. */
import { KeyRound } from "lucide-react"
import { type FormEvent, useState } from "react"

interface Props {
  readonly problem: string | undefined
  readonly onToken: (token: string) => void
}

export const TokenForm = ({ onToken, problem }: Props) => {
  const [token, setToken] = useState("")
  const onSubmit = (event: FormEvent) => {
    event.preventDefault()
    onToken(token.trim())
  }
  return (
    <form className="start-form token-form" onSubmit={onSubmit}>
      <KeyRound size={28} aria-hidden />
      <h1>Access token</h1>
      <p className="lead">{problem}</p>
      <label className="field">
        <span>Token</span>
        <input
          type="password"
          value={token}
          onChange={({ target }) => setToken(target.value)}
          autoFocus
          required
        />
      </label>
      <button type="submit" className="button primary large">Connect</button>
    </form>
  )
}
