/**
 * plain: values as text, whatever they contain. Never fails and never takes long, however deep or wide a
 * value is.
 */
const deepest = 200

/** Indented JSON. Values nested too deeply to be read become an ellipsis. */
export const toJson = (value: unknown, mostChars = 400_000): string => {
  const out: Array<string> = []
  let length = 0
  const put = (text: string) => {
    out.push(text)
    length += text.length
  }
  const write = (value: unknown, depth: number, indent: string): void => {
    if (length > mostChars) return
    if (typeof value === "string") {
      return put(JSON.stringify(value.length > mostChars ? value.slice(0, mostChars) : value))
    }
    if (typeof value !== "object" || value === null) return put(JSON.stringify(value) ?? "null")
    const isList = Array.isArray(value)
    const entries: ReadonlyArray<readonly [string, unknown]> = Object.entries(value)
    if (entries.length === 0) return put(isList ? "[]" : "{}")
    if (depth >= deepest) return put(isList ? "[…]" : "{…}")
    put(isList ? "[" : "{")
    for (const [index, [key, inner]] of entries.entries()) {
      if (length > mostChars) {
        put("…")
        break
      }
      put(`${index > 0 ? "," : ""}\n${indent}  ${isList ? "" : `${JSON.stringify(key)}: `}`)
      write(inner, depth + 1, `${indent}  `)
    }
    put(`\n${indent}${isList ? "]" : "}"}`)
  }
  write(value, 0, "")
  return out.join("")
}

/** JSON on one line, as in the protocol. */
export const jsonLine = (value: unknown): string => {
  try {
    return JSON.stringify(value)
  } catch {
    return toJson(value)
  }
}

/** For one line: no more than fits on it. */
export const short = (text: string, most = 300): string =>
  text.length <= most ? text : `${text.slice(0, most)}…`
