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
  /** Rooms it may import from, besides itself. */
  readonly rooms: ReadonlyArray<string>
  /** Modules outside of the project it must not import. */
  readonly never: RegExp
}

const sockets = /^(ws|node:(net|http|https|tls))$/
const processes = /^(node:child_process|node-pty)$/
const either = new RegExp(`${sockets.source}|${processes.source}`)

/** Files at the top: `Relay.ts` joins all layers, `index.ts` is the public API. */
const top = "."
const rooms: Readonly<Record<string, Room>> = {
  schema: { rooms: [], never: /^(node:|@effect\/|ws$)/ },
  adapters: {
    rooms: ["schema"],
    never: new RegExp(`${either.source}|^node:(fs|os)$|^@effect/platform-node`)
  },
  services: { rooms: ["schema", "adapters"], never: /^(ws|node:(http|https|tls))$/ },
  fronts: { rooms: ["schema", "adapters", "services", "client"], never: either },
  server: { rooms: ["schema", "services", "adapters", "fronts"], never: processes },
  lab: { rooms: ["schema", "adapters", "services", "server", top], never: processes },
  client: { rooms: ["schema"], never: /^node:/ },
  console: { rooms: ["schema", "client"], never: /^(node:|effect$|@effect\/)/ },
  cli: {
    rooms: ["schema", "adapters", "services", "fronts", "server", "lab", "client", top],
    never: /^node:http$/
  },
  [top]: { rooms: ["schema", "adapters", "services", "fronts", "server"], never: either }
}

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
  return rest.length === 0 ? top : first
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
          const other = roomOf(join(dirname(path), name))
          return other !== room && !rooms[room]?.rooms.includes(other)
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

  it("are joined by Relay.ts alone", () => {
    const layered = saying(/\b\w+(?:Adapter|Adapters)\.layer\b/g, ({ path }) => path.endsWith("Relay.ts"))
    assert.deepStrictEqual(layered, [])
  })
})

describe("one place each", () => {
  const only = (...names: ReadonlyArray<string>) => (file: File) => names.includes(nameOf(file))
  const importing = (module: string) => breaking(({ imports }) => imports.filter((name) => name === module))

  it("starts processes", () => {
    assert.deepStrictEqual([...new Set(importing("node-pty"))], ["services/PtySupervisor.ts: node-pty"])
    assert.deepStrictEqual(saying(/\bstartProcess\(/g, only("services/ProcessSupervisor.ts")), [])
  })

  it("runs effects to the end", () => {
    assert.deepStrictEqual(saying(/\brunMain\b/g, only("cli/main.ts")), [])
    const edge = (file: File) =>
      ["cli", "client", "console"].includes(file.room) || only("adapters/doneSoon.ts")(file)
    assert.deepStrictEqual(saying(/\brun(?:Promise|Fork)\b|\bforkDetach\b/g, edge), [])
  })

  it("completes a Deferred, and interrupts without waiting: Effect 4 runs who waited inside of the call", () => {
    assert.deepStrictEqual(
      saying(/\b(?:Deferred\.(?:doneUnsafe|unsafe\w+)|interruptUnsafe)\b/g, only("adapters/doneSoon.ts")),
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
