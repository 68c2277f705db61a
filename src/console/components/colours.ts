/**
 * colours: code as HTML with syntax colours, made by a worker (`highlight.worker.ts`). Code that takes too
 * long stays without colours, and the worker is replaced. Results are cached.
 */

export interface ToColour {
  readonly id: number
  readonly parts: ReadonlyArray<string>
  readonly language: string
}
export interface Coloured {
  readonly id: number
  /** Undefined for an unknown language. */
  readonly html: ReadonlyArray<string> | undefined
}

/** Limits of one job, in ms and characters. */
const mostMs = 2000
const mostChars = 20_000
/** Size of the cache in characters of HTML; the oldest results are dropped. */
const mostKept = 4_000_000

interface Job extends ToColour {
  readonly done: () => void
}

/** Undefined: it has no colours and will get none. */
const known = new Map<string, string | undefined>()
let keptChars = 0
const jobs: Array<Job> = []
let current: Job | undefined
let worker: Worker | undefined
let timer: ReturnType<typeof setTimeout> | undefined
let lastId = 0

const keyOf = (part: string, language: string) => `${language}\n${part}`

const keep = ({ language, parts }: ToColour, html: ReadonlyArray<string> | undefined) => {
  if (keptChars > mostKept) {
    known.clear()
    keptChars = 0
  }
  for (const [index, part] of parts.entries()) {
    known.set(keyOf(part, language), html?.[index])
    keptChars += part.length + (html?.[index]?.length ?? 0)
  }
}

const finish = (html: ReadonlyArray<string> | undefined) => {
  clearTimeout(timer)
  const job = current
  current = undefined
  if (job !== undefined) {
    keep(job, html)
    job.done()
  }
  next()
}

const giveUp = () => {
  worker?.terminate()
  worker = undefined
  finish(undefined)
}

const start = (): Worker => {
  const made = new Worker(new URL("./highlight.worker.ts", import.meta.url), { type: "module" })
  made.addEventListener("message", ({ data }: MessageEvent<Coloured>) => {
    if (data.id === current?.id) finish(data.html)
  })
  made.addEventListener("error", giveUp)
  return made
}

const next = () => {
  if (current !== undefined) return
  current = jobs.shift()
  if (current === undefined) return
  const { id, language, parts } = current
  timer = setTimeout(giveUp, mostMs)
  worker ??= start()
  worker.postMessage({ id, language, parts } satisfies ToColour)
}

/** HTML, escaped by highlight.js; undefined: none (yet). */
export const colourOf = (part: string, language: string): string | undefined =>
  known.get(keyOf(part, language))

/**
 * Colour parts that have no colours yet; calls back once they are done. Gives a function that cancels the
 * callback.
 */
export const colour = (parts: ReadonlyArray<string>, language: string, done: () => void): () => void => {
  const wanted = [...new Set(parts)].filter((part) => part.trim() !== "" && !known.has(keyOf(part, language)))
  if (wanted.length === 0 || wanted.reduce((sum, part) => sum + part.length, 0) > mostChars) return () => {}
  const job: Job = { id: ++lastId, parts: wanted, language, done }
  jobs.push(job)
  next()
  return () => {
    const index = jobs.indexOf(job)
    if (index >= 0) jobs.splice(index, 1)
  }
}
