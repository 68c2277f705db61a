/**
 * A SIGKILL at each step of the way between a terminal and the relay, with the real CLIs in their own terminals: of the
 * terminal's program, of the relay, of the relay's agent; idle, and in the middle of an answer. The model still sees every
 * word, and the session's log has each once. Takes minutes: only with AI_RELAY_KILLS=1.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { agentEnv, versionsOf, whyNotInstalled } from "../support/agents.js"
import { type Client, connect, type Event } from "../support/client.js"
import { buildDaemon, type Daemon, startDaemon } from "../support/daemon.js"
import { type ModelApi, startModelApi } from "../support/modelApi/ModelApi.js"
import { hang, reply } from "../support/modelApi/script.js"
import { endDaemons, type Interactive, openTerminal, settleHome } from "../support/realTerminal.js"

const killed = ["claude", "codex", "gemini"] as const
const patience = 180_000
const isWanted = process.env["AI_RELAY_KILLS"] === "1"
const words = ["alpha", "bravo", "charlie", "delta"] as const

/** The children of a process, theirs, and so on. */
const descendants = (pid: number): ReadonlyArray<number> => {
  const children = readdirSync("/proc").filter((name) => /^\d+$/.test(name)).flatMap((name) => {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "utf8")
      return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]) === pid ? [Number(name)] : []
    } catch {
      // It is gone.
      return []
    }
  })
  return children.flatMap((child) => [child, ...descendants(child)])
}

const commandOf = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ")
  } catch {
    return ""
  }
}

/** How its process under the relay is known. */
const agentsOwn: Readonly<Record<Interactive, RegExp>> = {
  claude: /stream-json/,
  codex: /app-server/,
  gemini: /--(experimental-)?acp/
}

beforeAll(() => {
  if (isWanted && killed.some((agent) => whyNotInstalled(agent) === undefined)) buildDaemon()
}, patience)

const describeAgent = (agent: Interactive) => {
  let home: string
  let folder: string
  let api: ModelApi
  let daemon: Daemon
  let env: Record<string, string>
  const clients: Array<Client> = []

  const isTaken = (text: string) => api.requests.some(({ prompt }) => prompt?.includes(text) === true)
  const startRelay = async () => {
    daemon = await startDaemon({ env, cwd: home, args: ["--root", home] })
  }

  /** Codex without its daemon: there, a turn goes on when its terminal is killed (see codexDaemon.test.ts). */
  const args = agent === "codex" ? ["--no-daemon"] : []
  const terminal = (resume?: string) =>
    openTerminal(agent, { env, folder, isTaken, args, ...(resume !== undefined && { resume }) })

  beforeAll(async () => {
    home = realpathSync(mkdtempSync(join(tmpdir(), `ai-relay-kills-${agent}-`)))
    api = await startModelApi()
    env = { ...agentEnv(agent, { home, api }) }
    await startRelay()
  }, patience)

  /** Each on its own: a folder nobody has worked in. */
  const begin = (name: string) => {
    api.reset()
    for (const word of words) api.on(new RegExp(`say ${word}`), reply({ text: `the answer is ${word}` }))
    folder = join(home, name)
    mkdirSync(folder)
    settleHome(agent, home, folder)
  }

  afterAll(async () => {
    for (const client of clients) client.drop()
    await daemon?.stop()
    await api?.close()
    endDaemons(home)
    rmSync(home, { recursive: true, force: true })
  })

  const listed = async () => {
    const query = new URLSearchParams({ tool: agent, folder })
    const answer = await fetch(`${daemon.url.replace(/^ws/, "http")}/native-sessions?${query}`)
    return (await answer.json() as { readonly sessions: ReadonlyArray<Event> }).sessions
  }
  /** The conversation of this folder, once it is there; nobody but the relay has it open. */
  const found = async (): Promise<Event> => {
    await expect.poll(async () => (await listed()).length, { timeout: 20_000, interval: 200 }).toBe(1)
    const elsewhere = async () => {
      const [session] = await listed()
      return session?.["open"] !== undefined && session["open"].by !== "relay"
    }
    await expect.poll(elsewhere, { timeout: 30_000, interval: 200 }).toBe(false)
    const [session] = await listed()
    if (session === undefined) throw new Error("the conversation is not listed")
    return session
  }

  const open = async (handshake: object) => {
    const client = await connect(daemon.url, { tool: agent, history: true, ...handshake })
    clients.push(client)
    await client.waitFor("session_start", { within: 60_000 })
    return client
  }

  /** The last call to the model for this prompt holds these, in this order. */
  const expectSeen = async (prompt: string, seen: ReadonlyArray<string>) => {
    const { body } = await api.called(new RegExp(`say ${prompt}`))
    const text = JSON.stringify(body)
    const places = seen.map((said) => text.indexOf(said))
    expect(places, `${seen.join(", ")} before "say ${prompt}"`).not.toContain(-1)
    expect(places).toEqual(places.toSorted((a, b) => a - b))
  }

  /** What was prompted, as a client that reads the whole log has it. */
  const promptsOf = async (session_id: string): Promise<ReadonlyArray<string>> => {
    const client = await connect(daemon.url, { session_id, after_seq: 0 })
    clients.push(client)
    const start = await client.waitFor("session_start")
    await client.waitFor(({ seq }) => seq >= (start["metadata"].last_seq ?? 0))
    const said = client.events.flatMap(({ text, type }) => type === "turn_start" ? [String(text)] : [])
    const begun = client.events.filter(({ type }) => type === "turn_start").length
    const ended = client.events.filter(({ type }) => type === "turn_end").length
    expect(ended, "every turn has ended").toBe(begun)
    client.drop()
    return said
  }

  const answer = (word: string) => `the answer is ${word}`
  /** What the agent's own files hold. */
  const history = async () => {
    const [session] = await listed()
    const http = daemon.url.replace(/^ws/, "http")
    return session === undefined
      ? ""
      : (await fetch(`${http}/native-sessions/${agent}/${session["native_session_id"]}/events`)).text()
  }
  /** The model has answered, and the agent has written it down. */
  const written = async (word: string) => {
    await (await api.called(new RegExp(`say ${word}`))).closed
    await expect.poll(history, { timeout: 30_000, interval: 200 }).toContain(answer(word))
  }
  /** What was said is in the agent's own files: it is written some moments after it was sent. */
  const promptWritten = async (word: string) => {
    await expect.poll(history, { timeout: 30_000, interval: 200 }).toContain(`say ${word}`)
  }
  const whole = (...said: ReadonlyArray<string>) => said.flatMap((word) => [`say ${word}`, answer(word)])

  it("the terminal's program is killed after an answer", async () => {
    begin("terminal-idle")
    const real = await terminal()
    await real.say("say alpha")
    await written("alpha")
    await real.kill()
    const { native_session_id } = await found()
    const client = await open({ native_session_id, session_id: `${agent}-terminal-idle` })
    await client.turn("say bravo")
    await expectSeen("bravo", whole("alpha"))
    expect(await promptsOf(`${agent}-terminal-idle`)).toEqual(["say alpha", "say bravo"])
  }, patience)

  it("the terminal's program is killed in the middle of an answer", async () => {
    begin("terminal-busy")
    api.on(/say bravo/, hang({ text: "half an ans" }))
    const real = await terminal()
    await real.say("say alpha")
    await written("alpha")
    await real.say("say bravo")
    await api.called(/say bravo/)
    await promptWritten("bravo")
    await real.kill()
    const { native_session_id } = await found()
    const client = await open({ native_session_id, session_id: `${agent}-terminal-busy` })
    await client.turn("say charlie")
    await expectSeen("charlie", [...whole("alpha"), "say bravo"])
    expect(await promptsOf(`${agent}-terminal-busy`)).toEqual(["say alpha", "say bravo", "say charlie"])
  }, patience)

  it("the relay is killed after an answer; gone on with in the terminal, then here", async () => {
    begin("relay-idle")
    const session_id = `${agent}-relay-idle`
    const client = await open({ folder, session_id })
    await client.turn("say alpha")
    await daemon.kill()
    await startRelay()
    const { native_session_id } = await found()
    const real = await terminal(native_session_id)
    await real.say("say bravo")
    await written("bravo")
    await real.quit()
    await found()
    await expectSeen("bravo", whole("alpha"))
    const again = await open({ session_id })
    await again.turn("say charlie")
    await expectSeen("charlie", whole("alpha", "bravo"))
    expect(await promptsOf(session_id)).toEqual(["say alpha", "say bravo", "say charlie"])
  }, patience)

  it("the relay is killed in the middle of an answer; gone on with in the terminal, then here", async () => {
    begin("relay-busy")
    const session_id = `${agent}-relay-busy`
    api.on(/say bravo/, hang({ text: "half an ans" }))
    const client = await open({ folder, session_id })
    await client.turn("say alpha")
    client.send({ text: "say bravo" })
    await client.waitFor(({ text, type }) => type === "stream_event" && String(text).includes("half"))
    await daemon.kill()
    await startRelay()
    const { native_session_id } = await found()
    const real = await terminal(native_session_id)
    await real.say("say charlie")
    await written("charlie")
    await real.quit()
    await found()
    await expectSeen("charlie", [...whole("alpha"), "say bravo"])
    const again = await open({ session_id })
    await again.turn("say delta")
    await expectSeen("delta", [...whole("alpha"), "say bravo", ...whole("charlie")])
    expect(await promptsOf(session_id)).toEqual(["say alpha", "say bravo", "say charlie", "say delta"])
  }, patience)

  it("the relay is killed while it follows the terminal", async () => {
    begin("relay-follows")
    const session_id = `${agent}-relay-follows`
    const real = await terminal()
    await real.say("say alpha")
    await written("alpha")
    const [session] = await listed()
    const native_session_id = session?.["native_session_id"]
    const client = await open({ native_session_id, session_id, if_open: "follow" })
    await real.say("say bravo")
    await client.waitFor(({ text, type }) => type === "response" && text === answer("bravo"), {
      within: 30_000
    })
    await daemon.kill()
    await real.say("say charlie")
    await (await api.called(/say charlie/)).closed
    await startRelay()
    const again = await open({ session_id, if_open: "follow" })
    await again.waitFor(({ text, type }) => type === "response" && text === answer("charlie"), {
      within: 30_000
    })
    await real.quit()
    await found()
    await again.turn("say delta")
    await expectSeen("delta", whole("alpha", "bravo", "charlie"))
    expect(await promptsOf(session_id)).toEqual(["say alpha", "say bravo", "say charlie", "say delta"])
  }, patience)

  it.each(["after an answer", "in the middle of an answer"])(
    "the relay's agent is killed %s",
    async (when) => {
      const isBusy = when !== "after an answer"
      begin(isBusy ? "agent-busy" : "agent-idle")
      const session_id = `${agent}-agent-${isBusy}`
      const client = await open({ folder, session_id })
      await client.turn("say alpha")
      if (isBusy) {
        api.on(/say bravo/, hang({ text: "half an ans" }))
        client.send({ text: "say bravo" })
        await client.waitFor(({ text, type }) => type === "stream_event" && String(text).includes("half"))
      }
      const after = client.events.at(-1)?.seq ?? 0
      for (const pid of descendants(daemon.pid)) {
        if (agentsOwn[agent].test(commandOf(pid)) && commandOf(pid).includes(agent)) {
          process.kill(
            pid,
            "SIGKILL"
          )
        }
      }
      await client.waitFor("session_end", { after, within: 30_000 })
      const { native_session_id } = await found()
      const real = await terminal(native_session_id)
      await real.say("say charlie")
      await real.shows(answer("charlie"))
      await real.quit()
      await found()
      const seen = [...whole("alpha"), ...isBusy ? ["say bravo"] : []]
      await expectSeen("charlie", seen)
      const again = await open({ session_id })
      await again.turn("say delta")
      await expectSeen("delta", [...seen, ...whole("charlie")])
      expect(await promptsOf(session_id)).toEqual([
        "say alpha",
        ...isBusy ? ["say bravo"] : [],
        "say charlie",
        "say delta"
      ])
    },
    patience
  )
}

for (const agent of killed) {
  const version = versionsOf(agent).find(({ rank }) => rank === "newest")?.version ?? ""
  describe.skipIf(!isWanted || whyNotInstalled(agent) !== undefined)(
    `${agent} ${version}: a kill at each step`,
    () => {
      describeAgent(agent)
    }
  )
}
