/** picture: the ratios as bars, on a logarithmic scale: to the right of 1 ours is better. */
import { othersOf, timesBetter, type Told } from "./report.js"

const width = 760
const labelWidth = 330
const rowHeight = 22
const colours = ["#2f6fde", "#d9822b", "#7a5bc7", "#3a9a5b"]

const escape = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;")

const text = (x: number, y: number, content: string, rest = "") =>
  `<text x="${x.toFixed(1)}" y="${y}" ${rest}>${escape(content)}</text>`

export const toPicture = (told: ReadonlyArray<Told>): string => {
  const rows = told.flatMap(({ findings, name }) =>
    findings.flatMap((finding) =>
      othersOf(finding).map((other) => ({
        name,
        what: finding.what,
        other,
        times: timesBetter(finding, other)
      }))
    )
  ).filter(({ times }) => Number.isFinite(times) && times > 0)
  const others = [...new Set(rows.map(({ other }) => other))]
  const colourOf = (other: string) => colours[others.indexOf(other) % colours.length] ?? ""
  const far = Math.max(2, ...rows.map(({ times }) => Math.max(times, 1 / times)))
  const middle = labelWidth + (width - labelWidth) * 0.3
  const scale = (width - middle - 50) / Math.log(far)
  const place = (times: number) => Math.max(labelWidth, middle + Math.log(times) * scale)
  const top = 54
  const height = top + rows.length * rowHeight + 10
  const ticks = [0.5, 1, 2, 4, 8, 16].filter((tick) => tick <= far && place(tick) > labelWidth)

  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="12">`,
    "<style>text{fill:#222}.axis{stroke:#999;stroke-width:1}@media (prefers-color-scheme:dark){text{fill:#ddd}}</style>",
    text(0, 14, "How often better ai-relay is (medians of ratios, logarithmic)", "font-weight=\"600\""),
    ...others.map((other, index) =>
      `<rect x="${index * 150}" y="24" width="10" height="10" fill="${colourOf(other)}"/>${
        text(index * 150 + 15, 33, `than ${other}`)
      }`
    ),
    ...ticks.map((tick) =>
      `<line class="axis" x1="${place(tick).toFixed(1)}" x2="${place(tick).toFixed(1)}" y1="${
        top - 4
      }" y2="${height}" stroke-opacity="${tick === 1 ? 1 : 0.3}"/>${
        text(place(tick), top - 8, `${tick}×`, "text-anchor=\"middle\"")
      }`
    ),
    ...rows.map(({ name, other, times, what }, row) => {
      const y = top + row * rowHeight
      const [from, to] = [Math.min(place(times), middle), Math.max(place(times), middle)]
      return text(labelWidth - 8, y + 14, `${name}: ${what}`.slice(0, 58), "text-anchor=\"end\"")
        + `<rect x="${from.toFixed(1)}" y="${y + 4}" width="${
          Math.max(1, to - from).toFixed(1)
        }" height="13" rx="2" fill="${colourOf(other)}"/>`
        + text(to + 5, y + 14, `${times.toFixed(2)}×`)
    }),
    "</svg>",
    ""
  ].join("\n")
}
