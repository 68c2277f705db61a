/**
 * To and fro between a terminal and the relay, with the real CLIs: begun in a terminal, gone on with here, there, here …
 * The model has to see every word each time, and the session's log has to have each once.
 */
import { spawn } from "node-pty"
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { agentEnv, type AgentName, versionsOf, whyNotInstalled } from "../support/agents.js"
import { type Client, connect, type Event } from "../support/client.js"
import { buildDaemon, type Daemon, startDaemon } from "../support/daemon.js"
import { type ModelApi, startModelApi } from "../support/modelApi/ModelApi.js"
import { reply } from "../support/modelApi/script.js"
import {
  endDaemons,
  type Interactive,
  interactive,
  isInteractive,
  openTerminal,
  settleHome
} from "../support/realTerminal.js"

/** Programs that are run for one prompt, where nobody types into their terminal interface here. */
interface Terminal {
  /** Arguments that say this in a new conversation, and in one there is. */
  readonly begin: (text: string) => ReadonlyArray<string>
  readonly goOn: (id: string, text: string) => ReadonlyArray<string>
  /** It tells its conversations itself: what is said in a terminal comes when the conversation is taken back. */
  readonly isAsked?: boolean
}

const terminals: Readonly<Partial<Record<AgentName, Terminal>>> = {
  opencode: {
    begin: (text) => ["run", text],
    goOn: (id, text) => ["run", "-s", id, text],
    isAsked: true
  },
  qwen: {
    begin: (text) => ["-p", text],
    goOn: (id, text) => ["--resume", id, "-p", text],
    isAsked: true
  },
  pi: {
    begin: (text) => ["-p", text],
    goOn: (id, text) => ["--session", id, "-p", text],
    isAsked: true
  },
  kimi: {
    begin: (text) => ["-p", text],
    goOn: (id, text) => ["-r", id, "-p", text],
    isAsked: true
  },
  copilot: {
    begin: (text) => ["-p", text, "--allow-all-tools"],
    goOn: (id, text) => [`--resume=${id}`, "-p", text, "--allow-all-tools"],
    isAsked: true
  }
}

const patience = 180_000
const words = ["alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel"] as const

/** Why there is nothing to go on with; the table of agents has it. */
const cannot: Readonly<Partial<Record<AgentName, string>>> = {
  "claude-agent-acp": "lists its past conversations as those of Claude Code",
  "codex-acp": "lists its past conversations as those of Codex"
}

const titleOf = (agent: AgentName) =>
  `${agent} ${versionsOf(agent).find(({ rank }) => rank === "newest")?.version ?? ""}: what a user does`
const scenario = "goes on with a conversation of a terminal, gives it back, and takes in what was said there"

describe.each(Object.entries(cannot) as ReadonlyArray<[AgentName, string]>)("%s", (agent, why) => {
  describe.skipIf(whyNotInstalled(agent) !== undefined)(titleOf(agent), () => {
    it(scenario, ({ skip, task }) => {
      Object.assign(task.meta, { why })
      skip(why)
    })
  })
})

/** With AI_RELAY_TERMINALS=1 these are typed into in their own terminal interface; else they are run for one prompt each, too. */
const isTyped = process.env["AI_RELAY_TERMINALS"] === "1"
const onePrompt: Readonly<Record<Interactive, Terminal>> = {
  claude: {
    begin: (text) => ["-p", text],
    goOn: (id, text) => ["-p", "--resume", id, text]
  },
  codex: {
    begin: (text) => ["exec", "--skip-git-repo-check", text],
    goOn: (id, text) => ["exec", "--skip-git-repo-check", "resume", id, text]
  },
  gemini: {
    begin: (text) => ["-p", text],
    goOn: (id, text) => ["--resume", id, "-p", text]
  }
}

const entries = [
  ...interactive.map((agent) => [agent, isTyped ? undefined : onePrompt[agent]] as const),
  ...Object.entries(terminals) as ReadonlyArray<[AgentName, Terminal]>
]

beforeAll(() => {
  if (entries.some(([agent]) => whyNotInstalled(agent) === undefined)) buildDaemon()
}, patience)

const describeAgent = (agent: AgentName, terminal: Terminal | undefined) => {
  const reason = whyNotInstalled(agent)
  const home = realpathSync(mkdtempSync(join(tmpdir(), `ai-relay-native-${agent}-`)))
  const folder = join(home, "shop")
  mkdirSync(folder)
  let api: ModelApi
  let daemon: Daemon
  let env: Record<string, string>

  beforeAll(async () => {
    if (reason !== undefined) return
    api = await startModelApi()
    for (const word of words) api.on(new RegExp(`say ${word}`), reply({ text: `the answer is ${word}` }))
    env = { ...agentEnv(agent, { home, api }) }
    if (isTyped || agent === "gemini") settleHome(agent, home, folder)
    daemon = await startDaemon({ env, cwd: home, args: ["--root", home] })
  }, patience)

  afterAll(async () => {
    await daemon?.stop()
    await api?.close()
    endDaemons(home)
    rmSync(home, { recursive: true, force: true })
  })

  /** Run the CLI for one prompt in a terminal of its own, to its end. */
  const runOnce = (args: ReadonlyArray<string>) =>
    new Promise<string>((resolve, reject) => {
      const child = spawn(agent, [...args], {
        cwd: folder,
        env: { ...env, TERM: "xterm-256color" },
        cols: 100,
        rows: 30
      })
      let printed = ""
      const timer = setTimeout(() => {
        child.kill()
        reject(new Error(`${agent} did not end: ${printed.slice(-2000)}`))
      }, 90_000)
      child.onData((data) => (printed += data))
      child.onExit(({ exitCode }) => {
        clearTimeout(timer)
        if (exitCode === 0) resolve(printed)
        else reject(new Error(`${agent} ${args.join(" ")} ended with ${exitCode}: ${printed.slice(-2000)}`))
      })
    })

  const isTaken = (text: string) => api.requests.some(({ prompt }) => prompt?.includes(text) === true)
  /** Say it in the agent's own program, in a new conversation or in this one. */
  const inTerminal = async (word: string, id?: string) => {
    const text = `say ${word}`
    if (terminal !== undefined) {
      await runOnce(id === undefined ? terminal.begin(text) : terminal.goOn(id, text))
    } else if (isInteractive(agent)) {
      const real = await openTerminal(agent, {
        env,
        folder,
        isTaken,
        ...(id !== undefined && { resume: id })
      })
      await real.say(text)
      await real.shows(`the answer is ${word}`)
      await real.quit()
      // Codex' daemon lets go of it a moment after its terminal was quit.
      const isOpen = async () => (await list()).some(({ open }) => open !== undefined && open.by !== "relay")
      await expect.poll(isOpen, { timeout: 30_000, interval: 200 }).toBe(false)
    }
  }

  const list = async () => {
    const response = await fetch(`${daemon.url.replace(/^ws/, "http")}/native-sessions?tool=${agent}`)
    return (await response.json() as { readonly sessions: ReadonlyArray<Event> }).sessions
  }

  /** The model was told all of this, in this order. */
  const expectSeen = async (prompt: string, seen: ReadonlyArray<string>) => {
    const { body } = await api.called(new RegExp(`say ${prompt}`))
    const text = JSON.stringify(body)
    const places = seen.flatMap((word) => [`say ${word}`, `the answer is ${word}`]).map((said) =>
      text.indexOf(said)
    )
    expect(places, `${agent} told the model before "${prompt}"`).not.toContain(-1)
    expect(places).toEqual(places.toSorted((a, b) => a - b))
  }

  const prompts = ({ events }: Client) =>
    events.flatMap(({ metadata, text, type }) =>
      type === "turn_start"
        // OpenCode puts a prompt of its command line in quotes.
        ? [`${metadata?.["history"] === true ? "there" : "here"} ${String(text).replaceAll("\"", "")}`]
        : []
    )
  const inStatus = (status: string) => (event: Event) => event.type === "status" && event["status"] === status

  it.skipIf(reason !== undefined)(
    scenario,
    async () => {
      await inTerminal("alpha")
      const [found] = await list()
      if (found === undefined) throw new Error("the conversation is not listed")
      expect(found).toMatchObject({ tool: agent, folder })
      if (terminal?.isAsked !== true) expect(found["first_prompt"]).toBe("say alpha")

      const client = await connect(daemon.url, {
        tool: agent,
        native_session_id: found.native_session_id,
        history: true
      })
      await client.waitFor(inStatus("history"), { within: 60_000 })
      const seen: Array<string> = ["alpha"]
      const expected = ["there say alpha"]
      const here = async (word: string) => {
        await client.turn(`say ${word}`)
        await expectSeen(word, seen)
        seen.push(word)
        expected.push(`here say ${word}`)
      }
      const there = async (word: string) => {
        const after = client.events.at(-1)?.seq ?? 0
        client.send({ type: "hand_over" })
        const given = await client.waitFor(inStatus("handed_over"), { after, within: 30_000 })
        const { argv } = given["metadata"].continue_with
        expect(argv.join(" ")).toContain(
          client.events[0]?.["metadata"].native_session_id ?? found.native_session_id
        )
        await inTerminal(word, found.native_session_id)
        await expectSeen(word, seen)
        // What is told by the agent itself comes when it is asked again.
        if (terminal?.isAsked === true) {
          client.send({ type: "take_over" })
          await client.waitFor(inStatus("taken_over"), { after, within: 60_000 })
        }
        await client.waitFor(
          (event) => event.type === "response" && event["text"] === `the answer is ${word}`,
          {
            after,
            within: 30_000
          }
        )
        seen.push(word)
        expected.push(`there say ${word}`)
      }
      await here("bravo")
      await there("charlie")
      await here("delta")
      if (terminal?.isAsked !== true) {
        await there("echo")
        await here("foxtrot")
        await there("golf")
        await here("hotel")
      }
      expect(prompts(client)).toEqual(expected)
      const answers = client.events.flatMap(({ text, type }) => type === "response" ? [text] : [])
      expect(answers).toEqual(seen.map((word) => `the answer is ${word}`))
      await client.close()
    },
    patience
  )
}

for (const [agent, terminal] of entries) {
  describe(titleOf(agent), () => {
    describeAgent(agent, terminal)
  })
}
