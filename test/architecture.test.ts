/**
 * The rooms of the house: who may use whom, and what must never be seen where. docs/architecture.md tells why.
 *
 * It reads imports and words as text, so it holds for type imports too.
 */
import { assert, describe, it } from "@effect/vitest"
import { readdirSync, readFileSync, statSync } from "node:fs"
import { dirname, join, relative, sep } from "node:path"
import { fileURLToPath } from "node:url"

const src = fileURLToPath(new URL("../src", import.meta.url))

interface Room {
  /** Rooms it may import from, besides itself; `services` stands for all of its rooms. */
  readonly rooms: ReadonlyArray<string>
  /** Modules outside of the project it must not import. */
  readonly never: RegExp
}

const sockets = /^(ws|node:(net|http|https|tls|http2|dgram))$/
const processes = /^(node:(child_process|cluster)|node-pty)$/
const threads = /^node:worker_threads$/
const disk = /^node:fs(\/promises)?$/
const noneOf = (...modules: ReadonlyArray<RegExp>) =>
  new RegExp(modules.map(({ source }) => source).join("|"))
const http = /^(ws|node:(http|https|tls|http2))$/

/** Files at the top: `Relay.ts` joins all layers, `index.ts` is the public API. `services` alone: its files in no room. */
const top = "."
const rooms: Readonly<Record<string, Room>> = {
  "schema": { rooms: [], never: /^(node:|@effect\/|ws$)/ },
  "adapters": {
    rooms: ["schema"],
    never: noneOf(sockets, processes, disk, /^node:os$/, /^@effect\/platform-node/)
  },
  // The settings hold the budgets' own, the policy's, and the operator's agents.
  "services": {
    rooms: ["schema", "adapters", "services/budget", "services/policy"],
    never: noneOf(sockets, processes, disk)
  },
  // What every room does with a disk in the same way.
  "services/disk": { rooms: [], never: noneOf(sockets, processes) },
  "services/log": { rooms: ["schema", "adapters"], never: noneOf(sockets, processes, disk) },
  "services/process": {
    rooms: ["services/disk", "schema", "adapters", "services", "services/budget"],
    never: http
  },
  "services/terminal": { rooms: ["schema", "adapters", "services", "services/process"], never: sockets },
  "services/access": {
    rooms: ["services/disk", "schema", "adapters", "services", "services/process"],
    never: noneOf(http, processes)
  },
  "services/agents": {
    rooms: ["schema", "adapters", "services", "services/process", "services/terminal"],
    never: noneOf(sockets, processes, disk)
  },
  "services/journal": {
    rooms: ["services/disk", "schema", "services", "services/log", "services/process"],
    never: noneOf(sockets, processes)
  },
  "services/observe": {
    rooms: [
      "services/disk",
      "schema",
      "adapters",
      "services",
      "services/log",
      "services/access",
      "services/process"
    ],
    never: noneOf(sockets, processes)
  },
  // A part of the session with a room of its own: it watches what turns cost.
  "services/budget": {
    rooms: [
      "services/disk",
      "schema",
      "adapters",
      "services",
      "services/log",
      "services/journal",
      "services/session",
      "services/schedule"
    ],
    never: noneOf(sockets, processes)
  },
  // Prompts for later, and who gives them to sessions when it is time.
  "services/schedule": {
    rooms: [
      "services/disk",
      "schema",
      "services",
      "services/access",
      "services/log",
      "services/journal",
      "services/session"
    ],
    never: noneOf(sockets, processes)
  },
  // What agents keep on disk, read only.
  "services/native": {
    rooms: [
      "services/disk",
      "schema",
      "adapters",
      "services",
      "services/log",
      "services/access",
      "services/process"
    ],
    never: noneOf(sockets, processes)
  },
  // Programs of agents that run already: it connects to their sockets, and starts nothing.
  "services/daemon": { rooms: ["schema", "adapters"], never: noneOf(processes, disk) },
  // What the operator's rules say to a call: it looks at files to resolve links, and knows nothing of sessions.
  "services/policy": { rooms: ["schema", "adapters"], never: noneOf(sockets, processes) },
  "services/session": {
    rooms: [
      "services/policy",
      "services/budget",
      "services/native",
      "services/schedule",
      "schema",
      "adapters",
      "services",
      "services/log",
      "services/journal",
      "services/access",
      "services/observe",
      "services/workspace"
    ],
    never: noneOf(sockets, processes, disk)
  },
  // Calls people: it asks the registry, and sends over the HTTP client it is given.
  "services/notify": {
    rooms: ["schema", "services", "services/log", "services/access", "services/process", "services/session"],
    never: noneOf(sockets, processes, disk)
  },
  // How a session's folder was before each turn: git, and the index it is asked with.
  "services/workspace": {
    rooms: ["services/disk", "schema", "services", "services/access", "services/journal", "services/process"],
    never: noneOf(sockets, processes)
  },
  // Calls people's browsers: it keeps who wants that, and sends to addresses that browsers tell.
  "services/push": {
    rooms: [
      "services/disk",
      "schema",
      "services",
      "services/access",
      "services/notify",
      "services/policy",
      "services/process",
      "services/session"
    ],
    never: noneOf(/^(ws|node:http2)$/, processes)
  },
  // All that was said, by words: it reads journals, and writes what it made of them beside them.
  "services/search": {
    rooms: [
      "services/disk",
      "schema",
      "services",
      "services/log",
      "services/journal",
      "services/access",
      "services/process",
      "services/session"
    ],
    never: noneOf(sockets, processes)
  },
  "fronts": {
    rooms: ["schema", "adapters", "services/", "client", "messages"],
    never: noneOf(sockets, processes)
  },
  "server": { rooms: ["schema", "services/", "adapters", "fronts"], never: processes },
  "lab": { rooms: ["schema", "adapters", "services/", "server", top], never: processes },
  "client": { rooms: ["schema"], never: /^node:/ },
  // A session's events as what is shown of it, for any page.
  "messages": { rooms: ["schema", "client"], never: /^(node:|effect$|effect\/|@effect\/|react)/ },
  "console": { rooms: ["schema", "client", "messages"], never: /^(node:|effect$|effect\/|@effect\/)/ },
  // For pages of others: the console's parts, with React.
  "react": {
    rooms: ["client", "messages", "console"],
    never: /^(node:|effect$|effect\/|@effect\/)/
  },
  "cli": {
    rooms: ["schema", "adapters", "services/", "fronts", "server", "lab", "client", "messages", top],
    never: noneOf(/^node:https?$/, processes)
  },
  [top]: {
    rooms: ["schema", "adapters", "services/", "fronts", "server"],
    never: noneOf(sockets, processes, disk)
  }
}

/** Whether a room may use another: its own, a listed one, or one within a listed house (`services/`). */
const mayUse = (room: string, other: string): boolean =>
  room === other ||
  (rooms[room]?.rooms ?? []).some((name) =>
    name === other || (name.endsWith("/") && `${other}/`.startsWith(name))
  )

interface File {
  readonly path: string
  readonly room: string
  readonly text: string
  readonly imports: ReadonlyArray<string>
}

const filesIn = (folder: string): ReadonlyArray<string> =>
  readdirSync(folder).flatMap((name) => {
    const path = join(folder, name)
    return statSync(path).isDirectory() ? filesIn(path) : /\.tsx?$/.test(name) ? [path] : []
  })

const roomOf = (path: string): string => {
  const [first = "", ...rest] = relative(src, path).split(sep)
  if (rest.length === 0) return top
  return first === "services" && rest.length > 1 ? `services/${rest[0]}` : first
}

const files: ReadonlyArray<File> = filesIn(src).map((path) => {
  const text = readFileSync(path, "utf8")
  const found = text.matchAll(/\b(?:from|import)\s*\(?\s*"([^"]+)"/g)
  return { path, room: roomOf(path), text, imports: [...found].flatMap(([, name]) => name ?? []) }
})

const isOurs = (name: string) => name.startsWith(".")
const nameOf = ({ path }: File) => relative(src, path)

/** Files that break a rule, each with what breaks it. */
const breaking = (find: (file: File) => ReadonlyArray<string>) =>
  files.flatMap((file) => find(file).map((what) => `${nameOf(file)}: ${what}`))

/** Code without its comments. */
const codeOf = ({ text }: File) => text.replaceAll(/\/\*[^]*?\*\/|\/\/.*/g, "")
const saying = (words: RegExp, isAllowed: (file: File) => boolean) =>
  breaking((file) => isAllowed(file) ? [] : codeOf(file).match(words) ?? [])

describe("the rooms", () => {
  it("are all known", () => {
    assert.isAbove(files.length, 100)
    assert.deepStrictEqual([...new Set(files.map(({ room }) => room))].filter((room) => !(room in rooms)), [])
  })

  it("use only those below them", () => {
    assert.deepStrictEqual(
      breaking(({ imports, path, room }) =>
        imports.filter(isOurs).filter((name) => {
          return !mayUse(room, roomOf(join(dirname(path), name)))
        })
      ),
      []
    )
  })

  it("keep out what is not theirs", () => {
    assert.deepStrictEqual(
      breaking(({ imports, room }) =>
        imports.filter((name) => !isOurs(name) && rooms[room]?.never.test(name))
      ),
      []
    )
  })

  it("load an adapter when a session wants it: its code is named by its descriptor alone, and not at the start", () => {
    const adapter = /\/(?:Claude|Codex|Cortex|Acp|Generic|Replay|Demo)Adapter\.js$/
    const naming = breaking(({ imports }) => imports.filter((name) => adapter.test(name)))
    assert.isAbove(naming.length, 5)
    assert.deepStrictEqual(naming.filter((one) => !/^adapters\/\w+\/descriptors?\.ts: /.test(one)), [])
    const atStart = files.flatMap((file) =>
      [...codeOf(file).matchAll(/\bfrom\s*"([^"]+)"/g)].flatMap(([, name = ""]) =>
        adapter.test(name) ? [`${nameOf(file)}: ${name}`] : []
      )
    )
    assert.deepStrictEqual(atStart, [])
  })
})

describe("one place each", () => {
  const only = (...names: ReadonlyArray<string>) => (file: File) => names.includes(nameOf(file))

  it("starts processes: with pipes, on terminals, the watcher, a relay for editors, git, and what looks at the machine's processes", () => {
    const starting = breaking(({ imports }) => imports.filter((name) => processes.test(name)))
    assert.sameMembers([...new Set(starting)], [
      "services/process/ProcessSupervisor.ts: node:child_process",
      "services/process/Sandbox.ts: node:child_process",
      "services/process/daemon.ts: node:child_process",
      "services/process/Watcher.ts: node:child_process",
      "services/process/machine.ts: node:child_process",
      "services/process/runInTerminal.ts: node:child_process",
      "services/process/runProgram.ts: node:child_process",
      "services/terminal/PtySupervisor.ts: node-pty"
    ])
  })

  it("starts a thread: to read thousands of folders", () => {
    assert.sameMembers(breaking(({ imports }) => imports.filter((name) => threads.test(name))), [
      "services/journal/folderThread.ts: node:worker_threads",
      "services/journal/readFolders.ts: node:worker_threads"
    ])
  })

  it("is handed a disk from outside: what may not touch one, and what is looked for when a layer is built (docs/decisions/node-fs.md)", () => {
    const handed = files.filter((file) => /\bFileSystem\.FileSystem\b/.test(codeOf(file))).map(nameOf)
    assert.sameMembers(handed, [
      "adapters/AgentDescriptor.ts",
      "adapters/replay/ReplayAdapter.ts",
      "cli/configFile.ts",
      "cli/registryFile.ts",
      "server/ConsoleFiles.ts",
      "services/access/Folders.ts",
      "services/agents/AgentFindings.ts",
      "services/agents/AgentProbe.ts"
    ])
  })

  it("ends processes by a signal: where families, terminals and orphans are ended", () => {
    const inProcesses = ({ room }: File) => ["services/process", "services/terminal", "cli"].includes(room)
    const looking = only("services/journal/SessionRecord.ts")
    assert.deepStrictEqual(
      saying(/\bprocess\.kill\b/g, (file) => inProcesses(file) || looking(file)),
      []
    )
  })

  it("touches the process it runs in, besides what it is called and what it runs on: where that is told", () => {
    // Also `process["env"]`, and under another name: that would be a hole.
    const uses =
      /(?<!["'`\w$-]|(?<!\.\.)\.)process(?:\??\.\w+|(?:\?\.)?\[[^\]]*\])|[\w}] = process(?!\w|\??\.|\[)/g
    const touched = breaking((file) => file.room === "cli" ? [] : [...new Set(codeOf(file).match(uses))])
    // Who may kill is said above.
    const harmless = /: process\??\.(?:pid|platform|arch|getuid|execPath|kill)$/
    assert.sameMembers(touched.filter((one) => !harmless.test(one)), [
      "server/metricsText.ts: process.cpuUsage",
      "server/metricsText.ts: process.memoryUsage",
      "services/RelayConfig.ts: process.cwd",
      // Its own number, as `pid`.
      "services/journal/SessionRecord.ts: } = process",
      // The environment of the relay: for agents, and for the watcher.
      "services/process/AgentEnvironment.ts: process.env",
      "services/process/Watcher.ts: process.env",
      "services/process/Watcher.ts: process.emitWarning",
      // What it does when the process ends: what was started is ended.
      "services/process/families.ts: process.on",
      // It runs in a process of its own.
      "services/process/reaper.ts: process.argv"
    ])
  })

  it("uses what the engine has under no module's name: nobody but the clients, and what asks another relay", () => {
    const pages = ({ room }: File) => ["client", "console", "react"].includes(room)
    assert.deepStrictEqual(saying(/\bglobalThis\b/g, pages), [])
    const asking = only("fronts/overClient.ts", "cli/LocalRelay.ts", "cli/clientOptions.ts")
    assert.deepStrictEqual(
      saying(
        /(?<!\.)\bfetch\(|\bnew (?:EventSource|XMLHttpRequest)\b/g,
        (file) => pages(file) || asking(file)
      ),
      []
    )
    // These would go around all that is said here of imports. The scripts of the built program are loaded with one of them.
    assert.deepStrictEqual(
      saying(
        /\bcreateRequire\b|\bgetBuiltinModule\b|\brequire\(|\bimport\((?!\s*")|\bnew Function\b/g,
        only("cli/codeCache.ts")
      ),
      []
    )
  })

  it("runs effects to the end", () => {
    assert.deepStrictEqual(saying(/\brunMain\b/g, only("cli/main.ts")), [])
    const edge = (file: File) =>
      ["cli", "client", "console"].includes(file.room) || only("adapters/doneSoon.ts")(file)
    assert.deepStrictEqual(
      saying(/\brun(?:Promise|PromiseExit|Fork|Callback)(?:With)?\b|\bforkDetach\b/g, edge),
      []
    )
  })

  it("completes a Deferred, and interrupts without waiting: Effect 4 runs who waited inside of the call", () => {
    assert.deepStrictEqual(
      saying(/\b(?:Deferred\.(?:doneUnsafe|unsafe\w+)|interruptUnsafe)\b/g, only("adapters/doneSoon.ts")),
      []
    )
  })

  it("looks at something again and again: what nobody tells about, such as the end of others' processes", () => {
    const looking = breaking(({ imports }) => imports.filter((name) => name.endsWith("/lookUntil.js")))
    assert.deepStrictEqual(looking, ["services/process/endFamily.ts: ./lookUntil.js"])
    const beats = only("server/eventStream.ts")
    const followsFiles = only("services/access/followFile.ts")
    assert.deepStrictEqual(
      saying(/\bsetInterval\b/g, (file) => file.room === "console" || beats(file) || followsFiles(file)),
      []
    )
    assert.deepStrictEqual(saying(/\bwatchFile\b/g, () => false), [])
  })

  it("changes what a method of somebody else does: nobody", () => {
    assert.deepStrictEqual(
      saying(/\b(?:ws|socket|response|request)\.(?!on[A-Z])\w+ = (?:\(|function)/g, () => false),
      []
    )
  })

  it("tells the time and makes random numbers: the Clock, Random and IdGenerator", () => {
    const edge = (file: File) => ["cli", "client", "console"].includes(file.room)
    assert.deepStrictEqual(saying(/\bDate\.now\b|\bnew Date\(\)|\bMath\.random\b/g, edge), [])
  })
})

describe("files", () => {
  it("say at the top what they are for", () => {
    assert.deepStrictEqual(
      breaking(({ text }) => text.startsWith("/**") ? [] : [text.split("\n", 1)[0] ?? ""]),
      []
    )
  })
})
