/**
 * compatibility: what is known about one version of an agent: whether it was tested, whether it is newer than
 * the tested versions, and its known problems. The facts come from runs of the real-agent suite
 * (`compatibility.json` in the package has each scenario).
 */
import { type TestedVersion, testedVersions } from "./testedVersions.js"

export interface Compatibility {
  /** The newest tested version. */
  readonly tested: string
  /** For people: "tested", "newer than tested (1.2.3)", and so on. */
  readonly verdict: string
  /** What this version, or else the nearest tested one, cannot do. */
  readonly trouble: ReadonlyArray<string>
}

const parts = (version: string): ReadonlyArray<number> =>
  (/^v?(\d+(?:\.\d+)*)/.exec(version)?.[1] ?? "0").split(".").map(Number)

/**
 * Below 0 if `a` is older than `b`, above 0 if it is newer. Compares releases only; anything after the
 * numbers is ignored.
 */
export const compareVersions = (a: string, b: string): number => {
  const [left, right] = [parts(a), parts(b)]
  const length = Math.max(left.length, right.length)
  const differences = Array.from({ length }, (_, index) => (left[index] ?? 0) - (right[index] ?? 0))
  return differences.find((difference) => difference !== 0) ?? 0
}

/** The newest tested version that is not newer; otherwise the oldest. */
const nearest = (versions: ReadonlyArray<TestedVersion>, version: string): TestedVersion | undefined =>
  versions.find((tested) => compareVersions(tested.version, version) <= 0) ?? versions.at(-1)

const verdictOn = (versions: ReadonlyArray<TestedVersion>, version: string): string => {
  const [newest, oldest] = [versions[0]?.version ?? "", versions.at(-1)?.version ?? ""]
  if (versions.some((tested) => tested.version === version)) return "tested"
  if (compareVersions(version, newest) > 0) return `newer than tested (${newest})`
  if (compareVersions(version, oldest) < 0) return `older than tested (${oldest})`
  return `between tested versions (${versions.map(({ version }) => version).join(", ")})`
}

/** Undefined for an agent without a tested version. */
export const compatibilityOf = (
  tool: string,
  version: string | undefined,
  all: Readonly<Record<string, ReadonlyArray<TestedVersion>>> = testedVersions
): Compatibility | undefined => {
  const versions = (Object.hasOwn(all, tool) ? all[tool] : undefined)
    ?.toSorted((a, b) => compareVersions(b.version, a.version)) ?? []
  const [newest] = versions
  if (newest === undefined) return undefined
  if (version === undefined) {
    return { tested: newest.version, verdict: "its version is not known", trouble: [] }
  }
  return {
    tested: newest.version,
    verdict: verdictOn(versions, version),
    trouble: nearest(versions, version)?.trouble ?? []
  }
}
