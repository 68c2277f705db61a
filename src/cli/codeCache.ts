/**
 * codeCache: keeps what V8 has compiled of the program, so that later starts, and their first sessions, need not compile it again.
 * Node 20 has no such cache, and the one of Node 22 and later holds only what a start runs, not what a session runs.
 *
 * Every script of the built program has a file of its own. V8 checks that a file fits its version, processor and flags, and the
 * length of the script's text; a checksum over the text and the file tells of all else. The files are written when no script has been
 * loaded for a while, and on exit.
 */
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync
} from "node:fs"
import type * as Inspector from "node:inspector"
import { createRequire } from "node:module"
import { basename, dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { cachedDataVersionTag } from "node:v8"
import { Script } from "node:vm"
import { crc32 } from "node:zlib"
import { isOurs, ownFolder } from "./home.js"

interface Options {
  /** Made if it is missing. A folder that others can write to is not used: what is in it is code that runs here. */
  readonly folder?: string
  /** Run with the flags of V8 that were set at the start: V8 uses a file only under the flags it was written under. */
  readonly underFirstFlags: <A>(run: () => A) => A
  /** How long after the last script was loaded the files are written, in ms: what it runs has been compiled by then. */
  readonly settledAfter?: number
  /** Where the program's scripts are, where Node loads files by extension, and whether a debugger may be attached; for tests. */
  readonly program?: string
  readonly extensions?: NodeJS.RequireExtensions
  readonly isInspected?: () => boolean
}

type Run = (
  exports: unknown,
  require: NodeJS.Require,
  module: NodeJS.Module,
  filename: string,
  dirname: string
) => void

/** Files that nothing has written for so long are removed: they are of other versions. */
const forgottenAfterMs = 30 * 24 * 60 * 60 * 1000
const folderName = /^v\d+\.\d+\.\d+.*-[\da-f]+$/
const fileName = /\.bin(\.\d+)?$/
/** Thirty times what the largest script needs. */
const largestBytes = 64 * 1024 * 1024

/** Where the files are. An agent must not write here, and need not read. */
export const codeFolder = (): string => join(ownFolder("XDG_CACHE_HOME"), "ai-relay", "code")

const quietly = <A>(run: () => A): A | undefined => {
  try {
    return run()
  } catch {
    return undefined
  }
}

/**
 * Node's own `recursive` never ends below a folder like `/proc`, where nothing can be made. `sudo` may keep the home of a user, in
 * which root makes nothing: that user could not write to it later.
 */
const makeFolder = (folder: string): void => {
  if (existsSync(folder)) return
  const parent = dirname(folder)
  makeFolder(parent)
  if (process.getuid?.() === 0 && statSync(parent).uid !== 0) throw new Error(`${parent} is not root's`)
  mkdirSync(folder, { mode: 0o700 })
}

/**
 * Whether code is to be kept. Not where Node is told to keep none of its own, and not while V8 counts for a coverage report what
 * runs: the counters would be kept, too, and make every later relay slow.
 */
export const isWanted = (env: Readonly<Record<string, string | undefined>>): boolean =>
  env["NODE_DISABLE_COMPILE_CACHE"] === undefined && env["NODE_V8_COVERAGE"] === undefined

/** A debugger, too, can make V8 count. */
const isInspected = (): boolean => {
  const { url }: typeof Inspector = createRequire(import.meta.url)("node:inspector")
  return url() !== undefined
}

const checksumBytes = 4

/** Whether a relay of this user can have written it: reading a pipe or a device might never end. */
const isReadable = (path: string): boolean => {
  const found = lstatSync(path, { throwIfNoEntry: false })
  return found?.isFile() === true && found.size > checksumBytes && found.size <= largestBytes &&
    isOurs(path, 0o22)
}

/** What is kept of a text, if it is whole. `sum`: the text's checksum. */
const readKept = (path: string, sum: number): Buffer | undefined => {
  const bytes = quietly(() => isReadable(path) ? readFileSync(path) : undefined)
  if (bytes === undefined) return undefined
  const data = bytes.subarray(0, -checksumBytes)
  return crc32(data, sum) === bytes.readUInt32LE(data.length) ? data : undefined
}

const remove = (path: string): void => rmSync(path, { recursive: true, force: true })

const writeKept = (path: string, sum: number, data: Buffer): void => {
  const checksum = Buffer.alloc(checksumBytes)
  checksum.writeUInt32LE(crc32(data, sum))
  const unfinished = `${path}.${process.pid}`
  remove(unfinished)
  try {
    writeFileSync(unfinished, Buffer.concat([data, checksum]), { mode: 0o600, flag: "wx" })
    // A folder would stay in the way.
    if (!isReadable(path)) remove(path)
    renameSync(unfinished, path)
  } finally {
    remove(unfinished)
  }
}

/** Removes nothing that has other names: the folder may be a link to one that is used for more. */
const removeForgotten = (folder: string, names: RegExp): void => {
  for (const name of readdirSync(folder).filter((found) => names.test(found))) {
    const path = join(folder, name)
    quietly(() => lstatSync(path).mtimeMs < Date.now() - forgottenAfterMs && remove(path))
  }
}

/** From now on, scripts beside this one are loaded with what is kept of them. */
export const keepCompiled = ({
  extensions = createRequire(import.meta.url).extensions,
  folder: parent = codeFolder(),
  isInspected: inspected = isInspected,
  program = dirname(fileURLToPath(import.meta.url)),
  settledAfter = 30_000,
  underFirstFlags
}: Options): void => {
  const folder = join(parent, `${process.version}-${(cachedDataVersionTag() >>> 0).toString(16)}`)
  quietly(() => makeFolder(folder))
  // What others can read is no secret.
  if (quietly(() => isOurs(folder, 0o22)) !== true) return
  const loaded = new Map<string, { readonly script: Script; readonly sum: number }>()
  const fileOf = (name: string) => join(folder, `${name}.bin`)
  let timer: NodeJS.Timeout | undefined

  const write = () => {
    clearTimeout(timer)
    process.off("exit", write)
    timer = undefined
    // A Node without an inspector has none to load.
    if (quietly(inspected) === true) return
    quietly(() => {
      makeFolder(folder)
      underFirstFlags(() => {
        for (const [name, { script, sum }] of loaded) {
          quietly(() => writeKept(fileOf(name), sum, script.createCachedData()))
        }
      })
      removeForgotten(parent, folderName)
      removeForgotten(folder, fileName)
    })
  }

  const writeLater = () => {
    if (timer === undefined) process.once("exit", write)
    clearTimeout(timer)
    timer = setTimeout(write, settledAfter).unref()
  }

  const compile = (filename: string): Script => {
    const name = basename(filename)
    const text = readFileSync(filename)
    const sum = crc32(text)
    const source = `(function(exports,require,module,__filename,__dirname){${text.toString()}\n})`
    const cachedData = readKept(fileOf(name), sum)
    const script = underFirstFlags(() => new Script(source, { filename, ...cachedData && { cachedData } }))
    loaded.set(name, { script, sum })
    if (cachedData === undefined || script.cachedDataRejected === true) writeLater()
    return script
  }

  // Node has none for `.cjs`, but something that was loaded with `--require` may have added one.
  const usual = extensions[".cjs"] ?? extensions[".js"]
  extensions[".cjs"] = (module, filename) => {
    if (dirname(filename) !== program) return usual(module, filename)
    const run: Run = compile(filename).runInThisContext()
    run(module.exports, createRequire(filename), module, filename, program)
  }
}
