/** help: what `--help` prints. One line per flag, so that it fits a screen. */
import { settings } from "./options.js"

const flags = [
  ...settings,
  {
    flag: "--config",
    value: "FILE",
    about: "Settings as JSON (~/.config/ai-relay/config.json, if it is there)"
  },
  { flag: "--version", value: "", about: "Print the version" },
  { flag: "--help", value: "", about: "Print this" }
]

const left = flags.map(({ flag, value }) => `  ${flag} ${value}`.trimEnd())
const width = Math.max(...left.map((text) => text.length)) + 2

export const helpText = (version: string) =>
  `ai-relay ${version}: one WebSocket event stream for any AI coding agent

Usage
  ai-relay [flags]             serve on port 8765
  ai-relay serve [flags]       serve on port 9000, as containers do
  ai-relay lab                 serve many users, a container each: see \`ai-relay lab --help\`
  ai-relay doctor [--json]     say which agents work here, and what to run for the others
  ai-relay sessions [--json]   list the sessions that are kept
  ai-relay token create NAME --scope view|prompt|approve|terminal|admin … [--session ID]…
               [--folder FOLDER]… [--agent TOOL]… [--expires 7d]
  ai-relay token list | revoke NAME
                               who else may use the relay, and for what
  ai-relay search [--limit N] [--json] WORDS…
                               find sessions in which these words were said
  ai-relay policy test [--json] RULES [SESSION…]
                               what these rules would have decided about kept sessions
  ai-relay run [--tool NAME] [--folder FOLDER] [--model NAME] [--permission-mode MODE]
               [--session NAME] [--json] "prompt"
                               one turn: the answer on stdout, what is piped in is part of
                               the prompt; exit code 0 end_turn, 1 error, 2 refusal,
                               3 limit reached, 130 stopped
  ai-relay acp [--tool NAME] [--model NAME] [--permission-mode MODE] [--url ws://HOST:PORT]
               [--token-file FILE] [--map /local=/remote] [--no-start]
                               an agent for editors (Agent Client Protocol, on stdin and
                               stdout); starts this machine's relay if none runs
  ai-relay attach [--json] [SESSION]
                               join a session, by default the one used last
  ai-relay schedule add SESSION "prompt" --at TIME | --every CRON [--time-zone ZONE]
  ai-relay schedule list [--json] [SESSION] | pause ID | continue ID | remove ID
                               give a session a prompt later, once or again and again
  ai-relay handoff [--print] [SESSION]
                               go on with it in this terminal, by the agent's own command
                               (all: --url ws://HOST:PORT, default the local relay; --token)

Flags
${flags.map(({ about }, index) => (left[index] ?? "").padEnd(width) + about).join("\n")}

Every flag is also a variable (--allow-origin is AI_RELAY_ALLOW_ORIGIN, lists by commas)
and a field of the configuration file ("allow_origin"). A flag wins over a variable, a
variable over the file.

Then connect a WebSocket to ws://localhost:8765 and send {"tool":"claude","folder":"."}`
