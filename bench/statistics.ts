/** statistics: medians, because a busy machine makes outliers; ratios by round, because it is busy in rounds. */

const sorted = (numbers: ReadonlyArray<number>) => numbers.toSorted((left, right) => left - right)

export const quantile = (numbers: ReadonlyArray<number>, share: number): number => {
  const ascending = sorted(numbers)
  const place = (ascending.length - 1) * share
  const below = ascending[Math.floor(place)] ?? Number.NaN
  const above = ascending[Math.ceil(place)] ?? Number.NaN
  return below + (above - below) * (place - Math.floor(place))
}

export const median = (numbers: ReadonlyArray<number>): number => quantile(numbers, 0.5)

/** How far the middle half of the numbers lies apart, as a share of the median; infinite for a median of 0. */
export const spread = (numbers: ReadonlyArray<number>): number => {
  const apart = quantile(numbers, 0.75) - quantile(numbers, 0.25)
  return apart === 0 ? 0 : apart / median(numbers)
}

/** The median of ours over theirs, each taken in the same round. */
export const ratio = (ours: ReadonlyArray<number>, theirs: ReadonlyArray<number>): number =>
  median(ours.map((number, round) => number / (theirs[round] ?? Number.NaN)))
