/**
 * prometheus: metrics in Prometheus' text exposition format 0.0.4.
 *
 * `toText` writes families of samples; `fromEffect` makes families from Effect's metrics. Both are pure.
 */
import type { Metric } from "effect"

export interface Sample {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
  /** `_bucket`, `_sum` or `_count` of a histogram. */
  readonly suffix?: string
}

export interface Family {
  readonly name: string
  readonly type: "counter" | "gauge" | "histogram"
  readonly help: string
  readonly samples: ReadonlyArray<Sample>
}

const escaped = (value: string) => value.replace(/["\\\n]/g, (char) => char === "\n" ? "\\n" : `\\${char}`)

const labelsOf = (labels: Sample["labels"]): string => {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`)
  return pairs.length === 0 ? "" : `{${pairs.join()}}`
}

const numberOf = (value: number): string => value === Infinity ? "+Inf" : String(value)

export const toText = (families: ReadonlyArray<Family>): string =>
  families.filter(({ samples }) => samples.length > 0).map(({ help, name, samples, type }) =>
    [
      `# HELP ${name} ${help.replace(/[\\\n]/g, " ")}`,
      `# TYPE ${name} ${type}`,
      ...samples.map(({ labels, suffix = "", value }) =>
        `${name}${suffix}${labelsOf(labels)} ${numberOf(value)}`
      ),
      ""
    ].join("\n")
  ).join("")

/** The samples of a metric, if Prometheus has its type. */
const read = (metric: Metric.Metric.Snapshot): Pick<Family, "samples" | "type"> | undefined => {
  const labels = { ...metric.attributes }
  switch (metric.type) {
    case "Counter":
      return { type: "counter", samples: [{ labels, value: Number(metric.state.count) }] }
    case "Gauge":
      return { type: "gauge", samples: [{ labels, value: Number(metric.state.value) }] }
    case "Histogram": {
      const { buckets, count, sum } = metric.state
      const below = Array.from(buckets, ([boundary, value]): Sample => ({
        suffix: "_bucket",
        labels: { ...labels, le: numberOf(boundary) },
        value
      }))
      return {
        type: "histogram",
        samples: [...below, { suffix: "_sum", labels, value: sum }, {
          suffix: "_count",
          labels,
          value: count
        }]
      }
    }
    default:
      return undefined
  }
}

/** OpenTelemetry's names have dots and a unit for its own exporters; both are adapted here. */
const named = ({ labels: { unit: _, ...labels }, ...sample }: Sample): Sample => ({
  ...sample,
  labels: Object.fromEntries(
    Object.entries(labels).map(([name, value]) => [name.replaceAll(".", "_"), value])
  )
})

/** Effect's metrics whose name begins with `prefix`. */
export const fromEffect = (
  metrics: ReadonlyArray<Metric.Metric.Snapshot>,
  prefix: string
): ReadonlyArray<Family> => {
  const families = new Map<string, Family>()
  for (const metric of metrics) {
    const { description, id } = metric
    const found = id.startsWith(prefix) ? read(metric) : undefined
    if (found === undefined) continue
    const name = id.replaceAll(".", "_")
    const samples = [...families.get(name)?.samples ?? [], ...found.samples.map(named)]
    families.set(name, { name, type: found.type, help: description ?? name, samples })
  }
  return [...families.values()]
}
