/**
 * redact: removes secrets from JSON that is saved.
 *
 * It finds known values (variables whose name suggests a secret, the handshake's values, the relay's own token), also encoded;
 * anything with the form of a well-known key; and values assigned to a name that suggests a secret. It looks at the JSON's
 * strings in decoded form, so escapes hide nothing, and the result stays JSON even if a secret looks like a number or syntax.
 *
 * Every search takes time linear in the length of the text, whatever it contains: repetitions are bounded, or cannot contain
 * the start of another match. `docs/operations.md` says what is covered and what is not.
 */

const secretWords = "KEY|TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIALS?|_PASS|_PAT|_AUTH|COOKIE"
const secretName = new RegExp(`(?:${secretWords})$`, "i")
/** Shorter values would match by chance, so they are found only after their names. */
const shortestSecret = 8
/** No shorter text can contain a secret. */
const shortestText = 6

/** Not in the middle of a word. In JSON within a string, the letter of an escape (`\n`) is not part of a word. */
const wordStart = String.raw`(?:(?<![A-Za-z0-9_])|(?<=\\[bfnrt]|\\u[0-9A-Fa-f]{4}))`
/** Nor behind a hyphen: for shapes of several parts, whose parts would else begin again and again. */
const partStart = String.raw`(?:(?<![A-Za-z0-9_-])|(?<=\\[bfnrt]|\\u[0-9A-Fa-f]{4}))`

/** A pattern, tried only if one of its `hints` occurs: searching for hints costs almost nothing. */
interface Shape {
  readonly hints: ReadonlyArray<string>
  readonly pattern: RegExp
}

/** One run of characters after a prefix. */
const words: ReadonlyArray<Shape> = ([
  [["airelay_"], "airelay_[A-Za-z0-9_-]{20,}"], // our own named tokens
  [["sk-"], "sk-[A-Za-z0-9_-]{16,}"], // Anthropic, OpenAI, OpenRouter
  [["_live_", "_test_"], "(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{10,}"], // Stripe
  [["whsec_"], "whsec_[A-Za-z0-9+/=]{16,}"],
  [["AIza"], "AIza[A-Za-z0-9_-]{30,}"], // Google
  [["ya29."], String.raw`ya29\.[A-Za-z0-9_-]{20,}`],
  [["GOCSPX-"], "GOCSPX-[A-Za-z0-9_-]{16,}"],
  [["ghp_", "gho_", "ghu_", "ghs_", "ghr_"], "gh[pousr]_[A-Za-z0-9]{20,}"], // GitHub
  [["github_pat_"], "github_pat_[A-Za-z0-9_]{20,}"],
  [["gl"], "gl(?:pat|ptt|dt|rt|cbt|soat|agent)-[A-Za-z0-9_-]{16,}"], // GitLab
  [["xox"], "xox[abeoprs]-[A-Za-z0-9-]{10,}"], // Slack
  [["xapp-"], "xapp-[A-Za-z0-9-]{10,}"],
  [["AKIA", "ASIA"], String.raw`(?:AKIA|ASIA)[A-Z0-9]{16}\b`], // AWS
  [["npm_"], "npm_[A-Za-z0-9]{30,}"],
  [["pypi-"], "pypi-[A-Za-z0-9_-]{16,}"],
  [["hf_"], "hf_[A-Za-z0-9]{20,}"], // Hugging Face
  [
    [
      "gsk_",
      "r8_",
      "xai-",
      "pplx-",
      "nvapi-",
      "tskey-",
      "dop_v1_",
      "shpat_",
      "shpss_",
      "glsa_",
      "lin_api_",
      "figd_",
      "sbp_"
    ],
    "(?:gsk_|r8_|xai-|pplx-|nvapi-|tskey-|dop_v1_|shpat_|shpss_|glsa_|lin_api_|figd_|sbp_)[A-Za-z0-9_-]{20,}"
  ],
  [["ATATT3"], "ATATT3[A-Za-z0-9_=-]{20,}"], // Atlassian
  [["AGE-SECRET-KEY-1"], "AGE-SECRET-KEY-1[A-Z0-9]{20,}"],
  [["hvs."], String.raw`hvs\.[A-Za-z0-9_-]{20,}`], // Vault
  [["dapi"], "dapi[a-f0-9]{32}"] // Databricks
] satisfies ReadonlyArray<readonly [ReadonlyArray<string>, string]>).map(([hints, shape]) => ({
  hints,
  pattern: new RegExp(wordStart + shape, "g")
}))

const parts: ReadonlyArray<Shape> = [
  // JWT
  { hints: ["eyJ"], pattern: String.raw`eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}` },
  // SendGrid
  { hints: ["SG."], pattern: String.raw`SG\.[A-Za-z0-9_-]{16,64}\.[A-Za-z0-9_-]{16,64}` }
].map(({ hints, pattern }) => ({ hints, pattern: new RegExp(partStart + pattern, "g") }))

/** Patterns whose first group is kept, since it says what the secret is. */
const behind: ReadonlyArray<Shape> = [
  { hints: ["earer ", "EARER "], pattern: /((?:[Bb]earer|BEARER) )[A-Za-z0-9._~+/=-]{16,}/g },
  {
    hints: ["asic ", "ASIC "],
    pattern: /((?:[Bb]asic|BASIC) )(?=[A-Za-z+/_-]*[0-9A-Z=])[A-Za-z0-9+/=_-]{8,}/g
  },
  // user:password@ of an address.
  { hints: ["://"], pattern: /(:\/\/[^\s/:@"'\\<>]{0,256}:)[^\s/@"'\\<>]{1,1024}(?=@)/g },
  {
    hints: ["hooks.slack.com/"],
    pattern: /(hooks\.slack\.com\/(?:services|workflows|triggers)\/)[A-Za-z0-9/_-]{10,}/g
  },
  { hints: ["/api/webhooks/"], pattern: /(\/api\/webhooks\/)[A-Za-z0-9/_-]{10,}/g },
  // A private key, with or without its end; a line feed may be spelled.
  {
    hints: ["PRIVATE KEY"],
    pattern:
      /(-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----)(?:[\s\\nr]{0,8}[A-Za-z-]{1,20}: [^\n\\]{0,100}){0,4}[A-Za-z0-9+/=\s\\]{16,}/g
  },
  // AWS
  {
    hints: ["ecret", "ECRET"],
    pattern:
      /([Ss](?:ecret|ECRET)[_-]?(?:[Aa](?:ccess|CCESS)[_-]?)?[Kk](?:ey|EY)["']?[ \t]{0,4}[:=][ \t]{0,4}["']?)[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+])/g
  },
  // Set in a shell or in a .env file. What begins with $ only names another.
  {
    hints: secretWords.replace("S?", "").split("|").flatMap((word) => [`${word}=`, `${word}S=`]),
    pattern: new RegExp(
      String.raw`((?<![A-Za-z0-9_])[A-Z0-9_]{0,64}(?:${secretWords})=["']?)(?![$<{*\[])[^\s"'\\;&|]{4,2048}`,
      "g"
    )
  }
]

const placeholder = "[REDACTED]"

/** The position of a secret in a text: from, and up to. */
export type Range = readonly [from: number, to: number]

const escaped = (text: string) => JSON.stringify(text).slice(1, -1)

/** The parts of a value's Base64 that do not depend on where the value begins in a longer text. */
const inBase64 = (value: string): ReadonlyArray<string> => {
  const bytes = Buffer.from(value)
  return [0, 1, 2].flatMap((offset) => {
    const first = Math.ceil((offset * 8) / 6)
    const last = Math.floor(((offset + bytes.length) * 8) / 6)
    const text = Buffer.concat([Buffer.alloc(offset), bytes]).toString("base64").slice(first, last)
    return [text, text.replaceAll("+", "-").replaceAll("/", "_")]
  })
}

/** A value as is, as in JSON within a string, and in the usual encodings. */
const spellingsOf = (value: string): ReadonlyArray<string> =>
  [
    value,
    escaped(value),
    encodeURIComponent(value.replace(/\p{Surrogate}/gu, "")),
    Buffer.from(value).toString("hex"),
    ...inBase64(value)
  ].filter((text) => text.length >= shortestSecret)

const escapedForRegExp = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)

type Variables = Readonly<Record<string, string | undefined>>

/** Known secrets. */
export interface Secrets {
  /** Variables of the relay and of a handshake; those whose name suggests a secret count. */
  readonly env: ReadonlyArray<Variables>
  /** More values. */
  readonly values?: ReadonlyArray<string>
}

export interface Redactor {
  /** Positions of secrets, in order, without overlaps. */
  readonly find: (text: string) => ReadonlyArray<Range>
  /** JSON, or lines of it, without secrets. */
  readonly redact: (json: string) => string
  /** The position from which on more text could turn the end into a secret. */
  readonly unsettledFrom: (text: string) => number
}

const merged = (ranges: Array<Range>): ReadonlyArray<Range> => {
  const found: Array<[number, number]> = []
  for (const [from, to] of ranges.toSorted((left, right) => left[0] - right[0] || right[1] - left[1])) {
    const last = found.at(-1)
    if (last === undefined || from >= last[1]) found.push([from, to])
    else last[1] = Math.max(last[1], to)
  }
  return found
}

/** Longest secret; longer words are encoded images. */
export const longestSecret = 4096
const longestKey = 16 * 1024

const isSpace = (text: string, at: number) => text.charCodeAt(at) <= 0x20

/** Where the word before this position begins, or the position itself. */
export const wordBefore = (text: string, end: number): number => {
  let at = end
  while (at > 0 && isSpace(text, at - 1)) at -= 1
  while (at > 0 && end - at < longestSecret && !isSpace(text, at - 1)) at -= 1
  return at
}

const makeFind = (values: ReadonlyArray<string>, named: ReadonlyArray<Shape>) => {
  const anyHint = new RegExp(
    [...words, ...parts, ...behind, ...named].flatMap(({ hints }) => hints).map(escapedForRegExp).join("|")
  )
  return (text: string) => {
    const ranges: Array<Range> = []
    if (text.length < shortestText) return ranges
    for (const value of values) {
      for (let at = text.indexOf(value); at !== -1; at = text.indexOf(value, at + value.length)) {
        ranges.push([at, at + value.length])
      }
    }
    // One search instead of one per hint: most texts have none.
    if (!anyHint.test(text)) return merged(ranges)
    const lookFor = ({ hints, pattern }: Shape, keeps: boolean) => {
      if (!hints.some((hint) => text.includes(hint))) return
      for (const { 0: match, 1: name = "", index } of text.matchAll(pattern)) {
        ranges.push([keeps ? index + name.length : index, index + match.length])
      }
    }
    for (const shape of words) lookFor(shape, false)
    for (const shape of parts) lookFor(shape, false)
    for (const shape of behind) lookFor(shape, true)
    for (const shape of named) lookFor(shape, true)
    return merged(ranges)
  }
}

const without = (text: string, ranges: ReadonlyArray<Range>): string => {
  let clean = ""
  let done = 0
  for (const [from, to] of ranges) {
    clean += text.slice(done, from) + placeholder
    done = to
  }
  return clean + text.slice(done)
}

/** This part of a text, without its secrets. */
export const cleanPiece = (
  text: string,
  ranges: ReadonlyArray<Range>,
  [begin, end]: Range
): string => {
  const inside = ranges.flatMap(([from, to]): ReadonlyArray<Range> =>
    to <= begin || from >= end ? [] : [[Math.max(from, begin) - begin, Math.min(to, end) - begin]]
  )
  const clean = without(text.slice(begin, end), inside)
  // A secret that begins in an earlier piece is reported there.
  const isContinued = ranges.some(([from, to]) => from < begin && to > begin)
  return isContinued ? clean.slice(placeholder.length) : clean
}

/** The position of the closing quote of the string that begins at `open`. */
const closingQuote = (json: string, open: number): number => {
  for (let at = json.indexOf("\"", open + 1); at !== -1; at = json.indexOf("\"", at + 1)) {
    let slashes = 0
    while (json[at - 1 - slashes] === "\\") slashes += 1
    if (slashes % 2 === 0) return at
  }
  return json.length
}

/** Whether a field's name suggests a secret and its value looks random. */
const isSecretField = (name: string, text: string) =>
  secretName.test(name) && text.length >= 16 && /^\S+$/.test(text) && /\d/.test(text) && /[A-Za-z]/.test(text)

/** Replaces every string of a JSON text that `clean` changes. */
const mapStrings = (json: string, clean: (text: string, name: string) => string): string => {
  let mapped = ""
  let done = 0
  let name = ""
  for (let open = json.indexOf("\""); open !== -1; open = json.indexOf("\"", done)) {
    const close = closingQuote(json, open)
    const literal = json.slice(open, close + 1)
    const text = literal.includes("\\") ? String(JSON.parse(literal)) : literal.slice(1, -1)
    // The string before is this one's name when only a colon stands between them.
    const isValue = json.slice(done, open).trim() === ":"
    const cleaned = clean(text, isValue ? name : "")
    mapped += json.slice(done, open) + (cleaned === text ? literal : JSON.stringify(cleaned))
    done = close + 1
    name = isValue ? "" : text
  }
  return mapped + json.slice(done)
}

export const make = ({ env, values: given = [] }: Secrets): Redactor => {
  const secret = env.flatMap((variables) => Object.entries(variables)).flatMap(([name, value]) =>
    secretName.test(name) && value !== undefined && value !== "" ? [{ name, value }] : []
  )
  const values = [
    ...new Set(
      [...secret.map(({ value }) => value), ...given].filter((value) => value.length >= shortestSecret)
        .flatMap(spellingsOf)
    )
  ]
  const named = secret.filter(({ value }) => value.length < shortestSecret).map(({ name, value }): Shape => ({
    hints: [name],
    pattern: new RegExp(
      `(${escapedForRegExp(name)}["']?[ \\t]{0,4}[:=][ \\t]{0,4}["']?)${
        escapedForRegExp(value)
      }(?![A-Za-z0-9_])`,
      "g"
    )
  }))
  const find = makeFind(values, named)

  const redact: Redactor["redact"] = (json) =>
    mapStrings(
      json,
      (text, name) => isSecretField(name, text) ? placeholder : without(text, find(text))
    )

  const unsettledFrom: Redactor["unsettledFrom"] = (text) => {
    // `Bearer …`, `NAME = …`: a secret may reach back over the word before it.
    let from = wordBefore(text, wordBefore(text, text.length))
    if (text.length > 0 && isSpace(text, text.length - 1)) from = wordBefore(text, text.length)
    const key = text.lastIndexOf("-----BEGIN ")
    if (key !== -1 && text.length - key < longestKey && text.indexOf("-----END ", key) === -1) {
      from = Math.min(from, key)
    }
    for (const value of values) {
      for (let length = Math.min(value.length - 1, text.length); text.length - length < from; length -= 1) {
        if (text.endsWith(value.slice(0, length))) from = text.length - length
      }
    }
    return from
  }

  return { find, redact, unsettledFrom }
}

/** A function that replaces secrets in JSON or ndjson, among them the values of these variables. */
export const makeRedact = (env: Variables): (json: string) => string => make({ env: [env] }).redact

/** The same for plain text. */
export const cleanText = (env: Variables): (text: string) => string => {
  const { find } = make({ env: [env] })
  return (text) => without(text, find(text))
}
