/**
 * PathMap: maps folders on the client's machine to those on the relay's machine and back.
 */

export interface PathMap {
  /** The relay's path for one of the client's. */
  readonly toRelay: (path: string) => string
  /** The client's path for one of the relay's. */
  readonly toClient: (path: string) => string
}

export interface Mapping {
  readonly client: string
  readonly relay: string
}

const trim = (folder: string) => folder.length > 1 ? folder.replace(/[/\\]+$/, "") : folder

const below = (path: string, folder: string): string | undefined =>
  path === folder
    ? ""
    : path.startsWith(folder.endsWith("/") ? folder : `${folder}/`)
    ? path.slice(folder.length)
    : undefined

/** The longest matching folder wins; a path in none is unchanged. */
export const make = (mappings: ReadonlyArray<Mapping>): PathMap => {
  const map = (from: "client" | "relay", to: "client" | "relay") => {
    const pairs = mappings
      .map((mapping) => ({ from: trim(mapping[from]), to: trim(mapping[to]) }))
      .toSorted((left, right) => right.from.length - left.from.length)
    return (path: string): string => {
      for (const pair of pairs) {
        const rest = below(path, pair.from)
        if (rest !== undefined) return pair.to === "/" ? rest || "/" : `${pair.to}${rest}`
      }
      return path
    }
  }
  return { toRelay: map("client", "relay"), toClient: map("relay", "client") }
}

/** `/local=/remote`; undefined for any other form. */
export const parse = (text: string): Mapping | undefined => {
  const at = text.indexOf("=")
  const client = text.slice(0, at)
  const relay = text.slice(at + 1)
  return at > 0 && relay !== "" ? { client, relay } : undefined
}
