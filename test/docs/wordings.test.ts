/**
 * What people stumbled over is not said again: sentences that were translated rather than written, riddles, and words of a
 * program where a person reads. Each with what is said instead.
 */
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "vitest"
import { en } from "../../src/console/words/en.js"

const root = fileURLToPath(new URL("../..", import.meta.url))

/** In docs and in what the command and the relay say. */
const anywhere: ReadonlyArray<readonly [was: string, is: string]> = [
  ["Installed from npm it is", "From npm: npx ai-relay"],
  ["asks nothing of anybody else", "loads nothing from third parties"],
  ["put the token behind the address", "append the token to the URL"],
  ["what follows the `#`", "the part after # never leaves your browser"],
  ["Programs on the same machine need none (", "Programs on the same machine need no token"],
  ["made at the first start", "generated on first start"],
  ["plays it again, at its pace", "replays it at its original speed"],
  ["check list", "checklist"],
  ["runs as it stands", "runs as is"],
  ["Who attaches to a live session", "Clients that attach to a live session"],
  ["those who use a relay", "clients"],
  ["say which agents work here", "check which agents are installed"],
  ["list the sessions that are kept", "list saved sessions"],
  ["(Ctrl-C ends it)", "(press Ctrl-C to stop)"],
  ["the relay knows no tool", "unknown tool"],
  ["there is no prompt:", "missing prompt"],
  ["Agent that may be used, then only these", "Allow only these agents"],
  ["Variable a handshake may set though", "Let clients set this environment variable"],
  ["Further name this relay is reached by", "Additional hostname"],
  ["is outside of what this relay may use", "is outside the allowed folders"],
  ["nobody is at the terminal to allow this", "no terminal to ask; use --permission-mode"],
  ["ended by itself (", "stopped unexpectedly (…)"],
  ["takes no images: send", "doesn't accept images"]
]

/** On the page: what was said, and what the catalogue has instead. */
const onThePage: ReadonlyArray<readonly [was: string, is: unknown, want: string]> = [
  ["What shall we work on?", en.startHeading, "What should we work on?"],
  ["A recording, needs nothing", en.demoSub, "Recorded session, no setup"],
  ["Any program with a screen", en.terminalSub, "Any command-line program"],
  ["19 more agents the relay knows", en.moreAgents(19), "19 more supported agents"],
  [
    "It runs on the relay's machine; you watch and decide here",
    en.startLead,
    "Choose an agent and a folder. The agent runs on the relay’s host; you follow and approve from here."
  ],
  ["Waits for you", en.waitingForYou, "Waiting for you"],
  ["Say what comes next…", en.queuePlaceholder, "Queue a follow-up…"],
  ["Thought about it", en.thought("4 s"), "Thought for 4 s"],
  ["said during the turn", en.steered, "sent while it was working"],
  ["Stopped.", en.stop.cancelled, "Stopped"],
  ["412 tokens out", en.outputTokens("412"), "412 output tokens"],
  ["Output of the agent's program", en.agentLog, "Agent log"],
  ["A question", en.asks("Claude Code"), "Claude Code asks"],
  ["The question answered", en.answered("SQLite"), "Answered: SQLite"],
  ["The plan allowed", en.decided.planApproved, "Plan approved"],
  ["choose any", en.selectAll, "select all that apply"],
  [
    "What should be different (optional, with a no)",
    en.planReason,
    "What should change? (sent if you reject)"
  ],
  ["To the end", en.toLatest, "Jump to latest"],
  ["Take back", en.unqueue, "Remove from queue"],
  ["Colours: system", en.theme.system, "Theme: system"],
  ["This session is gone", en.sessionNotFound, "Session not found"],
  ["x is no image an agent takes", en.badImage("x"), "x can’t be attached; use PNG, JPEG, GIF or WebP."],
  ["This agent takes no images", en.noImages("Codex"), "Codex doesn’t accept images."],
  ["tokens not told", en.contextUnknown, "Context: token count unavailable"],
  ["The relay does not answer.", en.cannotReach, "Can’t reach the relay. Retrying…"],
  [
    "The model API answered rate_limit (429)",
    `${en.retryLimited} ${en.attempt(1, 10)}`,
    "Rate-limited; retrying (1/10)"
  ],
  ["The model API answered unknown", en.retryUnreachable, "Can’t reach the model API; retrying"],
  [
    "claude ended by itself (signal SIGKILL)",
    en.sessionStopped("Claude Code", "SIGKILL"),
    "Claude Code stopped unexpectedly (SIGKILL)."
  ],
  ["Delegate", en.verbs.agent, "Subagent"],
  ["Change", en.verbs.edit, "Edit"],
  ["Propose a plan", en.verbs.exitPlan, "Plan"]
]

const filesIn = (folder: string, ends: RegExp): ReadonlyArray<string> =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => ends.test(name))
    .map((name) => join(folder, name))

describe("wordings", () => {
  const texts = new Map(
    [
      "README.md",
      "SECURITY.md",
      ...filesIn("docs", /\.md$/),
      ...["cli", "services", "server", "fronts", "client", "adapters"].flatMap((room) =>
        filesIn(`src/${room}`, /\.ts$/)
      )
    ].map((name) => [name, readFileSync(join(root, name), "utf8").replaceAll(/\s+/g, " ")])
  )

  it("that read as translated are in no page and no message", () => {
    const found = anywhere.flatMap(([was, is]) =>
      [...texts].filter(([, text]) => text.includes(was)).map(([name]) => `${name}: "${was}", say "${is}"`)
    )
    expect(found).toEqual([])
  })

  it("of the page are what good products say", () => {
    expect(onThePage.map(([was, is]) => [was, is])).toEqual(onThePage.map(([was, , want]) => [was, want]))
  })
})
