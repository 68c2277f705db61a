/**
 * realTerminal: a real CLI on a real terminal, driven as a person drives it: keys one by one, Enter once the screen is still,
 * Ctrl-C until it is gone.
 */
import { type IPty, spawn } from "node-pty"
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { AgentName } from "./agents.js"

/** CLIs whose terminal interface is driven here. */
export const interactive = ["claude", "codex", "gemini"] as const
export type Interactive = (typeof interactive)[number]
export const isInteractive = (agent: AgentName): agent is Interactive =>
  (interactive as ReadonlyArray<AgentName>).includes(agent)

interface Program {
  /** It can be typed into: this is on its screen. */
  readonly ready: RegExp
  /** Arguments that go on with a conversation. */
  readonly resume: (id: string) => ReadonlyArray<string>
  /** It draws a line whole when a key is pressed, so that what it has taken of the keys can be seen. */
  readonly drawsWhole?: true
}

const programs: Readonly<Record<Interactive, Program>> = {
  claude: { ready: /❯/, resume: (id) => ["--resume", id] },
  codex: { ready: /shortcuts|GPT-\S+ \w+ /, resume: (id) => ["resume", id] },
  gemini: { ready: /Type your message/, resume: (id) => ["--resume", id], drawsWhole: true }
}

/** The questions each asks a new user are answered beforehand; its home is as after the first day. */
const settle: Readonly<Record<Interactive, (home: string, folder: string) => void>> = {
  claude: (home, folder) => {
    mkdirSync(join(home, ".claude"), { recursive: true })
    const settings = {
      hasCompletedOnboarding: true,
      theme: "dark",
      customApiKeyResponses: { approved: ["sk-scripted"], rejected: [] },
      projects: { [folder]: { hasTrustDialogAccepted: true, hasCompletedProjectOnboarding: true } }
    }
    writeFileSync(join(home, ".claude/.claude.json"), JSON.stringify(settings))
  },
  codex: (home, folder) => {
    const path = join(home, ".codex/config.toml")
    // Of a model it knows it would offer a newer one; and a thread is let go of a second after its terminal was quit, not a minute.
    const settings = readFileSync(path, "utf8").replace(/model = "[^"]*"/, "model = \"gpt-5.2\"")
    const unload = "thread_unload_delay_secs = 1\n"
    const config = settings.startsWith(unload) ? settings : unload + settings
    const more = `\n[projects."${folder}"]\ntrust_level = "trusted"\n`
    writeFileSync(path, config + more)
  },
  gemini: (home) => {
    const path = join(home, ".gemini/settings.json")
    const settings = JSON.parse(readFileSync(path, "utf8"))
    settings.security = { auth: { selectedType: "gemini-api-key" }, folderTrust: { enabled: false } }
    writeFileSync(path, JSON.stringify(settings))
  }
}

/** It can be typed into, as far as it has drawn its screen. */
export const isReady = (agent: Interactive, printed: string): boolean =>
  programs[agent].ready.test(printed.replaceAll(escapes, ""))

/** After `agentEnv`, which writes what the program wants in any case. */
export const settleHome = (agent: AgentName, home: string, folder: string): void => {
  if (isInteractive(agent)) settle[agent](home, folder)
}

const escapes = new RegExp(
  "\\u001b\\[[0-?]*[ -/]*[@-~]|\\u001b\\][^\\u0007\\u001b]*(?:\\u0007|\\u001b\\\\)"
    + "|\\u001b[PX^_][^\\u001b]*\\u001b\\\\|\\u001b[ -/]*[0-~]",
  "g"
)
/** Where a program moves the cursor instead of printing a space, no space is. */
const words = (printed: string) => printed.replaceAll(escapes, "").replaceAll(/\s+/g, "")

export interface RealTerminal {
  readonly pid: number
  /** Resolves to the exit code; undefined if a signal ended it. */
  readonly exited: Promise<number | undefined>
  /** Type it, and Enter, until the model is asked. */
  readonly say: (text: string) => Promise<void>
  /** This is printed since the last `say`. A program may draw only what has changed: words that were not there before. */
  readonly shows: (text: string) => Promise<void>
  /** Once the screen is still. */
  readonly press: (keys: string) => Promise<void>
  /** Ctrl-C, as often as it takes. */
  readonly quit: () => Promise<void>
  /** SIGKILL. */
  readonly kill: () => Promise<void>
}

interface Options {
  readonly env: Readonly<Record<string, string>>
  readonly folder: string
  /** The conversation to go on with; default: a new one. */
  readonly resume?: string
  readonly args?: ReadonlyArray<string>
  /** The model was asked this. */
  readonly isTaken: (text: string) => boolean
}

/** So long something a person waits for may take on a busy machine, in ms. */
const patience = 60_000
/** Between two keys. */
const keyMs = 40
const stillMs = 250
/** So long a program may take to draw what was typed. */
const drawnMs = 3000
/** A prompt that has not come to the model after so long was not taken. */
const takenMs = 12_000
const enter = "\r"
/** Ctrl-U. */
const clearLine = "\u0015"
const ctrlC = "\u0003"

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

/** Start the program; resolves when it can be typed into. */
export const openTerminal = async (
  agent: Interactive,
  { args = [], env, folder, isTaken, resume }: Options
): Promise<RealTerminal> => {
  const program = programs[agent]
  const child: IPty = spawn(agent, [...args, ...(resume === undefined ? [] : program.resume(resume))], {
    cwd: folder,
    env: { ...env, TERM: "xterm-256color", COLORTERM: "truecolor" },
    cols: 100,
    rows: 40
  })
  let printed = ""
  let hasExited = false
  const listeners = new Set<() => void>()
  const tell = () => {
    for (const listener of [...listeners]) listener()
  }
  child.onData((data) => {
    printed += data
    // What a terminal answers to who asks where its cursor is, and what it is.
    if (data.includes("\u001b[6n")) child.write("\u001b[1;1R")
    if (data.includes("\u001b[c")) child.write("\u001b[?62;c")
    tell()
  })
  const exited = new Promise<number | undefined>((resolve) =>
    child.onExit(({ exitCode, signal }) => {
      hasExited = true
      resolve(signal === undefined || signal === 0 ? exitCode : undefined)
      tell()
    })
  )

  const until = (what: string, isSo: () => boolean, within = patience) =>
    new Promise<void>((resolve, reject) => {
      const finish = (act: () => void) => {
        clearTimeout(timer)
        listeners.delete(look)
        act()
      }
      const look = () => {
        if (isSo()) return finish(resolve)
        if (hasExited) finish(() => reject(new Error(`${agent} ended before ${what}: ${tail()}`)))
      }
      const timer = setTimeout(
        () =>
          finish(() =>
            reject(new Error(`${agent}: not within ${within} ms: ${what}. Its screen: ${tail()}`))
          ),
        within
      )
      listeners.add(look)
      look()
    })
  const tail = () => printed.replaceAll(escapes, " ").replaceAll(/\s+/g, " ").slice(-1500)

  let from = 0
  const shows: RealTerminal["shows"] = (text) =>
    until(`"${text}" is shown`, () => words(printed.slice(from)).includes(words(text)))

  /** Nothing is printed for a moment; what moves all the time is not waited for. */
  const still = async () => {
    for (let tries = 0, before = -1; before !== printed.length && tries < 20; tries++) {
      before = printed.length
      await pause(stillMs)
    }
  }

  await until("it can be typed into", () => program.ready.test(printed.replaceAll(escapes, "")))

  return {
    pid: child.pid,
    exited,
    shows,
    press: async (keys) => {
      await still()
      child.write(keys)
    },
    say: async (text) => {
      for (let tries = 0; tries < 6; tries++) {
        if (tries > 0) child.write(clearLine)
        await still()
        const typedFrom = printed.length
        for (const key of text) {
          child.write(key)
          await pause(keyMs)
        }
        // One that is still starting loses keys: half a prompt must not be sent.
        const isDrawn = () => words(printed.slice(typedFrom)).includes(words(text))
        if (program.drawsWhole === true) {
          for (let waited = 0; waited < drawnMs && !isDrawn(); waited += keyMs) await pause(keyMs)
          if (!isDrawn()) continue
        }
        // It draws what was typed; one that has just been pasted into takes an Enter for a new line.
        await still()
        from = printed.length
        // One that is still starting loses keys: Enter, Enter again, then all of it.
        for (let enters = 0; enters < 2; enters++) {
          child.write(enter)
          for (let waited = 0; waited < takenMs; waited += stillMs) {
            if (isTaken(text)) return
            if (hasExited) throw new Error(`${agent} ended: ${tail()}`)
            await pause(stillMs)
          }
        }
      }
      throw new Error(`${agent} does not take "${text}". Its screen: ${tail()}`)
    },
    quit: async () => {
      const gone = exited.then(() => true)
      for (let tries = 0; tries < 20; tries++) {
        if (hasExited) return
        child.write(ctrlC)
        if (await Promise.race([gone, pause(500).then(() => false)])) return
      }
      throw new Error(`${agent} does not end: ${tail()}`)
    },
    kill: async () => {
      if (!hasExited) process.kill(child.pid, "SIGKILL")
      await exited
    }
  }
}

/** Codex leaves a daemon of its own behind: end that of this home, and what looks after it. */
export const endDaemons = (home: string): void => {
  for (const name of ["daemon-updater.pid", "daemon.pid"]) {
    try {
      const { pid } = JSON.parse(readFileSync(join(home, ".codex/app-server-daemon", name), "utf8")) as {
        readonly pid: number
      }
      process.kill(pid, "SIGKILL")
    } catch {
      // None was started.
    }
  }
}
