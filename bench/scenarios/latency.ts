/**
 * latency: what the relay adds between the agent's write and the client's read, at 500 events per second.
 *
 * The agent stamps each line with the monotonic clock, which all processes of a machine share.
 */
import { setTimeout as wait } from "node:timers/promises"
import { type Contender, copy, type Running, type Talk } from "../contenders.js"
import { ask, inRounds, together, turn } from "../measure.js"
import { cpuOf } from "../processes.js"
import type { Bench, Finding, Samples, Scenario } from "../Scenario.js"
import { quantile } from "../statistics.js"

const eventsPerSecond = 500
const seconds = 4
/** So many that the code is compiled: what is measured is a conversation that goes on. They come in two seconds. */
const warmUpEvents = 4000
/** What turns cost that begin and end is not an event's: so much of a run is left out on either side. */
const edgeMs = 500
const stamp = /@(\d{16,})@/

/** Delays of a talk's stamped lines, in ms, as they come. */
export const listen = (talk: Talk, delays: Array<number>): void =>
  talk.onFrame((frame) => {
    const now = process.hrtime.bigint()
    const said = stamp.exec(frame.toString("latin1", 0, 600))?.[1]
    if (said !== undefined) delays.push(Number(now - BigInt(said)) / 1e6)
  })

const paced = async (running: Running, talks: ReadonlyArray<Talk>) => {
  const delays: Array<number> = []
  const run = async (events: number, perSecond: number) => {
    const ended = talks.map((talk) => talk.ended())
    for (const talk of talks) {
      ask(talk, { lines: Math.ceil(events / talks.length), bytes: 400, rate: perSecond / talks.length })
    }
    await Promise.all(ended)
  }
  await run(warmUpEvents, warmUpEvents / 2)
  for (const talk of talks) listen(talk, delays)
  const cpuSoFar = () => running.pid === undefined ? Number.NaN : cpuOf(running.pid)
  const turns = run(eventsPerSecond * seconds, eventsPerSecond)
  await wait(edgeMs)
  const [cpu, events] = [cpuSoFar(), delays.length]
  await wait(seconds * 1000 - 2 * edgeMs)
  const perEvent = (cpuSoFar() - cpu) / (delays.length - events)
  await turns
  for (const talk of talks) talk.onFrame(undefined)
  return { p50: quantile(delays, 0.5), p99: quantile(delays, 0.99), cpu: perEvent }
}

const openAll = async (running: Running, count: number): Promise<ReadonlyArray<Talk>> => {
  const talks: Array<Talk> = []
  for (let n = 0; n < count; n++) talks.push(await running.open())
  return talks
}

/** A relay that has just been started still compiles what each new session runs. */
const useForAWhile = async (running: Running) => {
  for (let session = 0; session < 6; session++) {
    const talk = await running.open()
    await turn(running, talk, { lines: 1000, bytes: 400, rate: 1000 })
    await talk.close()
  }
}

const measure = (bench: Bench, contenders: ReadonlyArray<Contender>, sessions: number) =>
  together(contenders, async (all) => {
    for (const running of all) {
      bench.progress(`latency · warming up · ${running.name}`)
      await useForAWhile(running)
    }
    const what = `latency, ${sessions === 1 ? "one session" : `${sessions} sessions`}`
    return inRounds(bench, what, all, async (running) => {
      const talks = await openAll(running, sessions)
      try {
        return await paced(running, talks)
      } finally {
        await Promise.all(talks.map((talk) => talk.close()))
      }
    })
  })

const finding = (what: string, unit: string, samples: Samples, times?: number): Finding => ({
  what,
  unit,
  better: "lower",
  samples,
  goals: times === undefined ? [] : [{ against: "floor", times }]
})

export const latency: Scenario = {
  name: "latency",
  about: "From the agent's write to the client's read, at 500 events/s of 400 B in all.",
  run: async (bench) => {
    const one = await measure(bench, [bench.ours, ...bench.others, copy], 1)
    const hundred = await measure(bench, [bench.ours, bench.floor], 100)
    return [
      finding("one session, p50", "ms", one.p50, 1.2),
      finding("one session, p99", "ms", one.p99),
      finding("one session, CPU per event", "µs", one.cpu, 1.3),
      finding("100 sessions, p50", "ms", hundred.p50, 1.2),
      finding("100 sessions, p99", "ms", hundred.p99),
      finding("100 sessions, CPU per event", "µs", hundred.cpu)
    ]
  }
}
