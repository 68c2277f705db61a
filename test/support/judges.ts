/** judges: the foreign clients a front is judged by, as `npm run test:fronts` has installed them. */
import { join } from "node:path"
import { pathToFileURL } from "node:url"

interface Found {
  readonly folder?: string
  readonly node?: string
  readonly missing?: string
}

const found = JSON.parse(process.env["AI_RELAY_JUDGES"] ?? "{}") as Readonly<Record<string, Found>>

export interface Judges {
  /** Why this set cannot judge. */
  readonly missing: string | undefined
  /** Where its `node_modules` is. */
  readonly folder: string
  /** The program that runs it. */
  readonly node: string
  /** A package of it, as a client of its imports it. */
  readonly load: (name: string) => Promise<any> // oxlint-disable-line typescript/no-explicit-any
}

export const judgesOf = (set: string): Judges => {
  const { folder = "/nowhere", missing, node = process.execPath } = found[set] ??
    { missing: "run them with npm run test:fronts" }
  return {
    missing,
    folder,
    node,
    load: async (name) => {
      const url = pathToFileURL(join(folder, "node_modules/load.mjs")).href
      const { load } = await import(/* @vite-ignore */ url)
      return load(name)
    }
  }
}
