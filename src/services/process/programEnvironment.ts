/** programEnvironment: the variables for programs that the relay runs for a person, such as `git commit`. */
import { relayEnvironment } from "./AgentEnvironment.js"

/** Paths, identity and key agents; no settings of git, and nothing of the relay's own. */
const heard = [
  "PATH",
  "HOME",
  "USER",
  "LOGNAME",
  "SHELL",
  "TMPDIR",
  "LANG",
  "XDG_CONFIG_HOME",
  "XDG_RUNTIME_DIR",
  "SSH_AUTH_SOCK",
  "GNUPGHOME",
  "GIT_AUTHOR_NAME",
  "GIT_AUTHOR_EMAIL",
  "GIT_COMMITTER_NAME",
  "GIT_COMMITTER_EMAIL"
]

export const programEnvironment = (): Readonly<Record<string, string>> => {
  const own = relayEnvironment()
  return Object.fromEntries(heard.flatMap((name) => {
    const value = own[name]
    return value === undefined ? [] : [[name, value]]
  }))
}
