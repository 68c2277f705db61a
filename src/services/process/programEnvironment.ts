/** programEnvironment: what a program hears of the relay's environment that works for the person, such as `git commit`. */
import { relayEnvironment } from "./AgentEnvironment.js"

/** Where things are, who it is, and who holds the keys: no settings of git's, and nothing of the relay's own. */
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
