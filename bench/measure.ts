/** measure: one turn's throughput, and the rounds in which contenders take turns. */
import type { Contender, Running, StartOptions, Talk } from "./contenders.js"
import { touchMemory } from "./memory.js"
import { cpuOf } from "./processes.js"
import type { Bench, Samples } from "./Scenario.js"

/** What a prompt asks the agent for; see programs/agent.mjs. */
export interface Lines {
  readonly lines: number
  readonly bytes: number
  readonly rate?: number
  readonly kind?: "pieces" | "tools"
}

export const promptFor = (lines: Lines): string => `EMIT ${JSON.stringify(lines)}`
export const ask = (talk: Talk, lines: Lines): void => talk.prompt(promptFor(lines))

export interface Turn {
  /** Lines per second, from the prompt to the last. */
  readonly rate: number
  /** µs of CPU the contender's process took per line. */
  readonly cpu: number
}

/** A turn as fast as it goes. A contender that loses a line has not been measured. */
export const turn = async ({ name, pid }: Running, talk: Talk, lines: Lines): Promise<Turn> => {
  const frames = talk.frames()
  const cpu = pid === undefined ? Number.NaN : cpuOf(pid)
  const begun = performance.now()
  const ended = talk.ended()
  ask(talk, lines)
  await ended
  const seconds = (performance.now() - begun) / 1000
  const came = talk.frames() - frames
  if (came < lines.lines) throw new Error(`${name} lost ${lines.lines - came} of ${lines.lines} lines`)
  return {
    rate: lines.lines / seconds,
    cpu: pid === undefined ? Number.NaN : (cpuOf(pid) - cpu) / lines.lines
  }
}

/** Have all of them run while `use` does; stopped afterwards, whatever happens. */
export const together = async <A>(
  contenders: ReadonlyArray<Contender>,
  use: (running: ReadonlyArray<Running>) => Promise<A>,
  options?: StartOptions
): Promise<A> => {
  const running: Array<Running> = []
  try {
    for (const contender of contenders) running.push(await contender.start(options))
    return await use(running)
  } finally {
    for (const one of running) await one.stop()
  }
}

/**
 * Let `one` measure each of them in every round, who begins changing from round to round. What comes first, to warm up, is
 * not counted.
 */
export const inRounds = async <A extends { readonly name: string }, M extends string>(
  { progress, repeats }: Bench,
  what: string,
  each: ReadonlyArray<A>,
  one: (contender: A) => Promise<Readonly<Record<M, number>>>,
  warmUps = 1
): Promise<{ [metric in M]: Samples }> => {
  const results: Array<Map<string, Readonly<Record<M, number>>>> = []
  for (let round = 1 - warmUps; round <= repeats; round++) {
    const measured = new Map<string, Readonly<Record<M, number>>>()
    for (let place = 0; place < each.length; place++) {
      const contender = each[(place + round + warmUps) % each.length]
      if (contender === undefined) continue
      progress(`${what} · ${round < 1 ? "warming up" : `round ${round} of ${repeats}`} · ${contender.name}`)
      measured.set(contender.name, await one(contender))
    }
    if (round > 0) results.push(measured)
  }
  const first = results[0]?.get(each[0]?.name ?? "")
  // Every round measures the same.
  const metrics = Object.keys(first ?? {}) as Array<M>
  const samplesOf = (metric: M) =>
    Object.fromEntries(
      each.map(({ name }) => [name, results.map((round) => round.get(name)?.[metric] ?? Number.NaN)])
    )
  const samples: Partial<Record<M, Samples>> = {}
  for (const metric of metrics) samples[metric] = samplesOf(metric)
  return samples as { [metric in M]: Samples }
}

/** As much as a contender has written to disk in a round. */
const touchedMiB = 512
/** V8 compiles a relay's code anew in its first few sessions; relays run for days. */
const firstSessions = 3

/** Throughput of each contender, in rounds of a session each; a shorter turn before warms the session up. */
export const throughputOf = (
  bench: Bench,
  what: string,
  contenders: ReadonlyArray<Contender>,
  lines: Lines
) =>
  together(contenders, (running) =>
    inRounds(bench, what, running, async (contender) => {
      touchMemory(touchedMiB)
      const talk = await contender.open()
      try {
        await turn(contender, talk, { ...lines, lines: Math.ceil(lines.lines / 3) })
        return await turn(contender, talk, lines)
      } finally {
        await talk.close()
        await contender.tidy()
      }
    }, firstSessions))
