/**
 * SessionLock: makes sure that a session's files belong to one relay at a time, even if relays share a state folder.
 *
 * The lock is a file `lock.N` in the session's folder that names its relay, created atomically. The highest N counts. To take
 * over from a relay that is gone, the next number is created; two relays that try it at once use the same name, and one of
 * them fails. A released lock stays, empty: if it were removed, a relay that looked earlier could start counting again.
 */
import { linkSync, readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { readRegular } from "../disk/regularFile.js"

/** One attempt in steps, so that tests can interleave two of them. */
export type Steps<A> = Generator<undefined, A, undefined>

const numberOf = (name: string): number | undefined => {
  const digits = /^lock\.(\d{1,15})$/.exec(name)?.[1]
  return digits === undefined ? undefined : Number(digits)
}

const fileOf = (folder: string, number: number) => join(folder, `lock.${number}`)

const numbersIn = (folder: string): ReadonlyArray<number> =>
  readdirSync(folder).flatMap((name) => numberOf(name) ?? []).toSorted((left, right) => right - left)

/** The relay named in a lock; empty: it is free. */
const ownerOf = (folder: string, number: number): string => {
  try {
    return readRegular(fileOf(folder, number))
  } catch {
    // Another relay with a higher lock has just removed it.
    return ""
  }
}

const hasCode = (cause: unknown, ...codes: ReadonlyArray<string>) =>
  cause instanceof Error && "code" in cause && codes.includes(String(cause.code))

/** Creates a lock file; false if it exists. */
const create = (folder: string, number: number, me: string): boolean => {
  const file = fileOf(folder, number)
  const whole = join(folder, `lock-of-${me}`)
  try {
    writeFileSync(whole, me, { mode: 0o600 })
    linkSync(whole, file)
    return true
  } catch (cause) {
    if (hasCode(cause, "EEXIST")) return false
    // Some file systems have no links.
    if (!hasCode(cause, "EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS")) throw cause
    try {
      writeFileSync(file, me, { mode: 0o600, flag: "wx" })
      return true
    } catch (again) {
      if (hasCode(again, "EEXIST")) return false
      throw again
    }
  } finally {
    rmSync(whole, { force: true })
  }
}

export interface Held {
  readonly release: () => void
}

/** How often other relays may be faster; each time one of them gets the lock. */
const tries = 20

/** The lock, or the name of the relay that has it. Throws the disk's errors. */
export const steps = function*(
  folder: string,
  me: string,
  isAlive: (relay: string) => boolean
): Steps<Held | string> {
  let other = ""
  for (let attempt = 0; attempt < tries; attempt++) {
    const [highest = 0] = numbersIn(folder)
    yield
    other = highest === 0 ? "" : ownerOf(folder, highest)
    yield
    if (other !== "" && other !== me && isAlive(other)) return other
    const mine = highest + 1
    if (!create(folder, mine, me)) continue
    yield
    const numbers = numbersIn(folder)
    yield
    if (numbers[0] !== mine) {
      // The listing was outdated: another relay has created a higher lock since.
      rmSync(fileOf(folder, mine), { force: true })
      continue
    }
    for (const number of numbers.slice(1)) rmSync(fileOf(folder, number), { force: true })
    return {
      release: () => {
        try {
          truncateSync(fileOf(folder, mine))
        } catch {
          // The folder is gone, and the lock with it.
        }
      }
    }
  }
  return other
}

/** Used when the disk is full: the session then goes on without a lock. */
const unlocked: Held = { release: () => {} }

export const acquire = (
  folder: string,
  me: string,
  isAlive: (relay: string) => boolean
): Held | string => {
  const trying = steps(folder, me, isAlive)
  try {
    for (;;) {
      const step = trying.next()
      if (step.done === true) return step.value
    }
  } catch (cause) {
    if (hasCode(cause, "ENOSPC", "EDQUOT")) return unlocked
    throw cause
  }
}

/** The relay that has the lock, if that relay is alive. */
export const holder = (folder: string, isAlive: (relay: string) => boolean): string | undefined => {
  try {
    const [highest] = numbersIn(folder)
    const owner = highest === undefined ? "" : ownerOf(folder, highest)
    return owner !== "" && isAlive(owner) ? owner : undefined
  } catch {
    return undefined
  }
}
