/** help: what `--help` and `help COMMAND` print. Flags are listed in groups, one per line. */
import { settings } from "./options.js"

interface Command {
  readonly name: string
  /** How to call it, one form per line. */
  readonly usage: ReadonlyArray<string>
  /** One line. */
  readonly about: string
  readonly more?: ReadonlyArray<string>
  /** It needs a running relay: `--url`, `--token`. */
  readonly asks?: true
}

const commands: ReadonlyArray<Command> = [
  {
    name: "serve",
    usage: ["ai-relay serve [flags]"],
    about: "serve on port 9000, for containers and other machines",
    more: ["It takes the same flags as `ai-relay`; see ai-relay --help. Every client needs the token."]
  },
  {
    name: "lab",
    usage: ["ai-relay lab"],
    about: "serve many users, each in a container"
  },
  {
    name: "doctor",
    usage: ["ai-relay doctor [--json] [--acp-registry FILE] [--state-dir FOLDER]"],
    about: "check which agents are installed and how to set up the rest",
    more: [
      "With --acp-registry, it also checks the agents in that file, and says how the file differs from the agents it knows.",
      "The exit code is 1 if no agent works."
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
      "The list is read from the state folder. Everything else needs a running relay: --url, --token.",
      "export prints the events, one JSON object per line, or with --markdown a readable conversation.",
      "native lists conversations held with agents in a terminal. To continue one, use attach --native ID",
      "or run --native ID."
    ]
  },
  {
    name: "search",
    usage: ["ai-relay search [--limit N] [--json] WORDS…"],
    about: "find sessions that contain these words",
    asks: true
  },
  {
    name: "import",
    usage: ["ai-relay import [--as NAME] [--state-dir FOLDER] FILE-OR-FOLDER…"],
    about: "import sessions from recordings, exports, agents and the Python relay",
    more: [
      "It reads files with one event per line, as written by --record, `ai-relay sessions export` and the Python",
      "relay, and what Claude Code, Codex, Gemini CLI and ACP agents print or save (docs/operations.md has the",
      "list). From a folder it takes all .ndjson and .jsonl files. No relay has to run; a running one shows the",
      "sessions at once. Importing a file twice is safe. If any line is invalid, nothing is imported."
    ]
  },
  {
    name: "run",
    usage: [
      "ai-relay run [--tool NAME] [--folder FOLDER] [--model NAME] [--permission-mode MODE]",
      "             [--session NAME] [--native ID] [--json] \"prompt\""
    ],
    about: "send one prompt and print the answer to stdout",
    more: [
      "Piped input becomes part of the prompt. Permissions are asked for at the terminal, with the change an",
      "edit would make; without a terminal they are denied. Put -- before a prompt that begins with -.",
      "Exit code: 0 end_turn, 1 error, 2 refusal, 3 limit reached, 130 stopped."
    ],
    asks: true
  },
  {
    name: "attach",
    usage: ["ai-relay attach [--json] [SESSION]", "ai-relay attach --native ID [--tool NAME] [SESSION]"],
    about: "join a session, by default the most recent one",
    more: [
      "It shows the end of the conversation so far. Ctrl-C stops a turn, Ctrl-D leaves; the session goes on.",
      "--native continues a conversation that was started in a terminal, under the name SESSION if given."
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
    about: "send a prompt to a session later, once or repeatedly",
    asks: true
  },
  {
    name: "acp",
    usage: [
      "ai-relay acp [--tool NAME] [--model NAME] [--permission-mode MODE] [--url ws://HOST:PORT]",
      "             [--token-file FILE] [--map /local=/remote] [--no-start]"
    ],
    about: "act as an agent for editors (Agent Client Protocol)",
    more: ["It talks over stdin and stdout, and starts a relay on this machine if none is running."]
  },
  {
    name: "mcp",
    usage: ["ai-relay mcp [--url ws://HOST:PORT] [--token-file FILE] [--no-start]"],
    about: "offer sessions as tools to another agent (Model Context Protocol)",
    more: ["It talks over stdin and stdout, and starts a relay on this machine when a tool needs one."]
  },
  {
    name: "token",
    usage: [
      "ai-relay token create NAME --scope view|prompt|approve|terminal|admin … [--session ID]…",
      "             [--folder FOLDER]… [--agent TOOL]… [--expires 7d]",
      "ai-relay token list | revoke NAME"
    ],
    about: "create, list and revoke access tokens with limited rights"
  },
  {
    name: "service",
    usage: [
      "ai-relay service install [--no-start] [-- FLAGS OF ai-relay…]",
      "ai-relay service status | remove [--no-stop]"
    ],
    about: "start the relay when you log in (systemd, launchd)",
    more: [
      "It is a user service: it needs no root, and agents find your logins. install prints the file it writes;",
      "with --no-start the service is not started. To change the flags, run install again."
    ]
  },
  {
    name: "policy",
    usage: ["ai-relay policy test [--json] RULES [SESSION…]"],
    about: "show what these rules would have decided in saved sessions"
  }
]

const own = [
  {
    name: "config",
    flag: "--config",
    value: "FILE",
    about: "Settings as JSON (~/.config/ai-relay/config.json, if it exists)"
  },
  { name: "version", flag: "--version", value: "", about: "Print the version (-v)" },
  {
    name: "help",
    flag: "--help",
    value: "",
    about: "Print this help (-h); after a command, the help of that command"
  }
]

/** Groups of settings. A setting is in the first group whose expression matches its name. */
const groups: ReadonlyArray<readonly [title: string, names: RegExp]> = [
  [
    "Network",
    /^(host|port|tls|allow_origin|allow_host|trusted_proxy|fronts|max_connections|max_handshake|max_frame|max_json|handshake_timeout|max_un)/
  ],
  ["Access", /^(token|auth|no_auth|tokens)/],
  [
    "Agents and folders",
    /^(root|tools|no_extra|no_command|allow_|permission_modes|policy|pass_env|cortex|no_native|drivers|sandbox|acp_registry)/
  ],
  ["Budgets", /^(budget|prices|on_limit)/],
  [
    "Sessions",
    /^(state_dir|no_state|no_checkpoints|journal|linger|max_linger|max_sessions|max_kept|max_queued|permission_timeout|interrupt|drivers|take_over|drain|retain|record)/
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
  ai-relay COMMAND …           run a command; see \`ai-relay help COMMAND\`

Commands
${commands.map(({ about, name }) => `  ${name.padEnd(commandWidth)}${about}`).join("\n")}
${flagLines}

Every flag can also be set as an environment variable (AI_RELAY_ALLOW_ORIGIN for
--allow-origin, with commas between values) or in the configuration file
("allow_origin"). Flags take precedence over variables, variables over the file.

To start a session, connect a WebSocket to ws://localhost:8765 and send {"tool":"claude","folder":"."}`

/** The help of one command; undefined if there is no such command. */
export const helpOf = (name: string): string | undefined => {
  const command = commands.find((command) => command.name === name)
  if (command === undefined) return undefined
  const { about, asks, more = [], usage } = command
  const where = asks === true
    ? [
      "",
      "  --url ws://HOST:PORT   Relay to use (ws://127.0.0.1:8765)",
      "  --token TOKEN          Its access token (AI_RELAY_TOKEN)"
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
