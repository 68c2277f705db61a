/** help: what `--help` and `help COMMAND` print. A line per flag, in groups, so that it fits a screen. */
import { settings } from "./options.js"

interface Command {
  readonly name: string
  /** What is typed, a line each. */
  readonly usage: ReadonlyArray<string>
  /** One line. */
  readonly about: string
  readonly more?: ReadonlyArray<string>
  /** It asks a relay that runs: `--url`, `--token`. */
  readonly asks?: true
}

const commands: ReadonlyArray<Command> = [
  {
    name: "serve",
    usage: ["ai-relay serve [flags]"],
    about: "serve on port 9000, as containers do",
    more: ["It takes the flags of `ai-relay`; see ai-relay --help. Everybody needs the token."]
  },
  {
    name: "lab",
    usage: ["ai-relay lab"],
    about: "serve many users, a container each"
  },
  {
    name: "doctor",
    usage: ["ai-relay doctor [--json] [--acp-registry FILE] [--state-dir FOLDER]"],
    about: "check which agents are installed and how to set up the rest",
    more: [
      "With --acp-registry also those of your file, as the relay offers them, and in what the file and the agents known here",
      "differ. The exit code is 1 when none works."
    ]
  },
  {
    name: "sessions",
    usage: [
      "ai-relay sessions [--json] [--state-dir FOLDER]",
      "ai-relay sessions rename SESSION TITLE…",
      "ai-relay sessions rm SESSION…",
      "ai-relay sessions export [--markdown] SESSION",
      "ai-relay sessions native [--tool NAME] [--json] [WORDS…]"
    ],
    about: "list, rename, remove and export saved sessions",
    more: [
      "The list is read from the state folder. All else is done by the relay that runs: --url, --token.",
      "export prints the events, one JSON object per line; with --markdown the conversation to read.",
      "native lists what was said to agents in a terminal: attach --native ID or run --native ID goes on with it."
    ]
  },
  {
    name: "search",
    usage: ["ai-relay search [--limit N] [--json] WORDS…"],
    about: "find sessions in which these words were said",
    asks: true
  },
  {
    name: "import",
    usage: ["ai-relay import [--as NAME] [--state-dir FOLDER] FILE-OR-FOLDER…"],
    about: "keep recorded sessions: recordings, exports, the Python relay's",
    more: [
      "A line per event, as --record, `ai-relay sessions export` and the Python relay wrote them; what Claude Code,",
      "Codex, Gemini CLI and ACP agents print or keep (docs/operations.md lists it). Of a folder",
      "all .ndjson and .jsonl files in it are taken. No relay has to run; one that does shows them at once.",
      "Importing again changes nothing. With a bad line nothing is imported."
    ]
  },
  {
    name: "run",
    usage: [
      "ai-relay run [--tool NAME] [--folder FOLDER] [--model NAME] [--permission-mode MODE]",
      "             [--session NAME] [--native ID] [--json] \"prompt\""
    ],
    about: "one turn: the answer goes to stdout",
    more: [
      "What is piped in is part of the prompt. Permissions are asked at the terminal, with the change an",
      "edit would make; without a terminal they are denied. A prompt that begins with - goes behind --.",
      "Exit code: 0 end_turn, 1 error, 2 refusal, 3 limit reached, 130 stopped."
    ],
    asks: true
  },
  {
    name: "attach",
    usage: ["ai-relay attach [--json] [SESSION]", "ai-relay attach --native ID [--tool NAME] [SESSION]"],
    about: "join a session, by default the one used last",
    more: [
      "It shows the end of what was said. Ctrl-C stops a turn, Ctrl-D leaves; the session goes on.",
      "With --native a conversation that was begun in a terminal goes on here, as SESSION if a name is given."
    ],
    asks: true
  },
  {
    name: "handoff",
    usage: ["ai-relay handoff [--print] [SESSION]"],
    about: "continue a session in this terminal with the agent's own command",
    asks: true
  },
  {
    name: "schedule",
    usage: [
      "ai-relay schedule add SESSION \"prompt\" --at TIME | --every CRON [--time-zone ZONE]",
      "ai-relay schedule list [--json] [SESSION] | pause ID | continue ID | remove ID"
    ],
    about: "send a session a prompt later, once or repeatedly",
    asks: true
  },
  {
    name: "acp",
    usage: [
      "ai-relay acp [--tool NAME] [--model NAME] [--permission-mode MODE] [--url ws://HOST:PORT]",
      "             [--token-file FILE] [--map /local=/remote] [--no-start]"
    ],
    about: "an agent for editors (Agent Client Protocol)",
    more: ["It speaks on stdin and stdout, and starts this machine's relay if none runs."]
  },
  {
    name: "mcp",
    usage: ["ai-relay mcp [--url ws://HOST:PORT] [--token-file FILE] [--no-start]"],
    about: "sessions as tools for another agent (Model Context Protocol)",
    more: ["It speaks on stdin and stdout, and starts this machine's relay when a tool needs one."]
  },
  {
    name: "token",
    usage: [
      "ai-relay token create NAME --scope view|prompt|approve|terminal|admin … [--session ID]…",
      "             [--folder FOLDER]… [--agent TOOL]… [--expires 7d]",
      "ai-relay token list | revoke NAME"
    ],
    about: "who else may use the relay, and for what"
  },
  {
    name: "service",
    usage: [
      "ai-relay service install [--no-start] [-- FLAGS OF ai-relay…]",
      "ai-relay service status | remove [--no-stop]"
    ],
    about: "start the relay when you log in (systemd, launchd)",
    more: [
      "It is a user's service: no root is needed, and your agents find your logins. What is installed is",
      "printed. With --no-start it is only written. Run install again to change the flags."
    ]
  },
  {
    name: "policy",
    usage: ["ai-relay policy test [--json] RULES [SESSION…]"],
    about: "what these rules would have decided about saved sessions"
  }
]

const own = [
  {
    name: "config",
    flag: "--config",
    value: "FILE",
    about: "Settings as JSON (~/.config/ai-relay/config.json, if it is there)"
  },
  { name: "version", flag: "--version", value: "", about: "Print the version (-v)" },
  { name: "help", flag: "--help", value: "", about: "Print this (-h); after a command, its own help" }
]

/** What belongs together, by the words its settings begin with; the first that fits has it. */
const groups: ReadonlyArray<readonly [title: string, names: RegExp]> = [
  [
    "Network",
    /^(host|port|tls|allow_origin|allow_host|trusted_proxy|fronts|max_connections|max_handshake|max_frame|max_json|handshake_timeout|max_un)/
  ],
  ["Access", /^(token|auth|no_auth|tokens)/],
  [
    "Agents and folders",
    /^(root|tools|no_extra|no_command|allow_|permission_modes|policy|pass_env|cortex|no_native|drivers)/
  ],
  ["Budgets", /^(budget|prices|on_limit)/],
  [
    "Sessions",
    /^(state_dir|no_state|no_checkpoints|journal|linger|max_linger|max_sessions|max_queued|permission_timeout|interrupt|drivers|take_over|drain|retain|record)/
  ],
  ["Other", /./]
]

const flags = [...settings, ...own]
const left = new Map(flags.map(({ flag, value }) => [flag, `  ${flag} ${value}`.trimEnd()]))
const width = Math.max(...[...left.values()].map((text) => text.length)) + 2
const groupOf = (name: string) => groups.find(([, names]) => names.test(name))?.[0] ?? "Other"

const flagLines = groups.flatMap(([title]) => {
  const lines = flags.filter(({ name }) => groupOf(name) === title)
    .map(({ about, flag }) => (left.get(flag) ?? "").padEnd(width) + about)
  return lines.length === 0 ? [] : [`\n${title}`, ...lines]
}).join("\n")

const commandWidth = 12

export const helpText = (version: string) =>
  `ai-relay ${version}: one WebSocket event stream for any AI coding agent

Usage
  ai-relay [flags]             serve on port 8765
  ai-relay COMMAND …           see \`ai-relay help COMMAND\`

Commands
${commands.map(({ about, name }) => `  ${name.padEnd(commandWidth)}${about}`).join("\n")}
${flagLines}

Every flag is also a variable (--allow-origin is AI_RELAY_ALLOW_ORIGIN, lists by commas)
and a field of the configuration file ("allow_origin"). A flag wins over a variable, a
variable over the file.

Then connect a WebSocket to ws://localhost:8765 and send {"tool":"claude","folder":"."}`

/** A command's own help; undefined if there is no such command. */
export const helpOf = (name: string): string | undefined => {
  const command = commands.find((command) => command.name === name)
  if (command === undefined) return undefined
  const { about, asks, more = [], usage } = command
  const where = asks === true
    ? [
      "",
      "  --url ws://HOST:PORT   the relay (ws://127.0.0.1:8765)",
      "  --token TOKEN          its access token (AI_RELAY_TOKEN)"
    ]
    : []
  return [
    `ai-relay ${name}: ${about}`,
    "",
    "Usage",
    ...usage.map((line) => `  ${line}`),
    ...(more.length > 0 ? ["", ...more] : []),
    ...where
  ].join("\n")
}
