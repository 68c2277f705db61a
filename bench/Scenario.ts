/** Scenario: one thing worth measuring, and what it found. Each is a file in `scenarios/`. */
import type { Contender } from "./contenders.js"

/** By contender, ours first; one number per round. */
export type Samples = Readonly<Record<string, ReadonlyArray<number>>>

/** Something measured once per round, for ours and for others in turn. */
export interface Finding {
  readonly what: string
  readonly unit: string
  readonly better: "higher" | "lower"
  readonly samples: Samples
  readonly goals: ReadonlyArray<Goal>
}

/**
 * What it must show: ours at least (if higher is better) or at most `times` another's, `plus` so much; or, without
 * another, a bound in the finding's own unit.
 */
export type Goal =
  | { readonly against: string; readonly times: number; readonly plus?: number }
  | { readonly bound: number }

export interface Bench {
  readonly repeats: number
  readonly ours: Contender
  readonly floor: Contender
  /** `floor`, a raw pipe if there is one, and what `--vs` names. */
  readonly others: ReadonlyArray<Contender>
  /** Say what is going on; replaced by the next. */
  readonly progress: (text: string) => void
  /** Say something that stays. */
  readonly note: (text: string) => void
}

export interface Scenario {
  readonly name: string
  /** For people, in one sentence. */
  readonly about: string
  readonly run: (bench: Bench) => Promise<ReadonlyArray<Finding>>
}
