/**
 * redact: takes secrets out of JSON that is kept.
 *
 * Three nets: values that are known (of variables whose name says secret, of the handshake, the relay's own token), also
 * encoded; whatever has the shape of a well-known key; and what is assigned to a name that says secret. Only the strings
 * of the JSON are looked at, as the texts they stand for: however a secret is escaped it is found, and JSON stays JSON,
 * also where a secret looks like a number or like a piece of syntax.
 *
 * Every search is linear in the length of the text, whatever is in it: a repetition is bounded, or what it repeats cannot
 * hold the beginning of another match. `docs/operations.md` says what is covered and what is not.
 */

const secretWords = "KEY|TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIALS?|_PASS|_PAT|_AUTH|COOKIE"
const secretName = new RegExp(`(?:${secretWords})$`, "i")
/** Shorter values would match by chance: they are found behind their names only. */
const shortestSecret = 8
/** No shorter text holds one. */
const shortestText = 6

/** Not in the middle of a word. In JSON within a string the letter of an escape (`\n`) is not part of the word. */
const wordStart = String.raw`(?:(?<![A-Za-z0-9_])|(?<=\\[bfnrt]|\\u[0-9A-Fa-f]{4}))`
/** Nor behind a hyphen: for shapes of several parts, whose parts would else begin again and again. */
const partStart = String.raw`(?:(?<![A-Za-z0-9_-])|(?<=\\[bfnrt]|\\u[0-9A-Fa-f]{4}))`

/** What is looked for, where one of its `hints` stands: looking for those costs next to nothing. */
interface Shape {
  readonly hints: ReadonlyArray<string>
  readonly pattern: RegExp
}

/** One run of letters behind a prefix. */
const words: ReadonlyArray<Shape> = ([
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

/** The first group stays: it says what the secret is. */
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

/** Where a secret stands in a text: from here, up to there. */
export type Range = readonly [from: number, to: number]

const escaped = (text: string) => JSON.stringify(text).slice(1, -1)

/** What stays the same of a value's base64, wherever in a longer text the value begins. */
const inBase64 = (value: string): ReadonlyArray<string> => {
  const bytes = Buffer.from(value)
  return [0, 1, 2].flatMap((offset) => {
    const first = Math.ceil((offset * 8) / 6)
    const last = Math.floor(((offset + bytes.length) * 8) / 6)
    const text = Buffer.concat([Buffer.alloc(offset), bytes]).toString("base64").slice(first, last)
    return [text, text.replaceAll("+", "-").replaceAll("/", "_")]
  })
}

/** As it is, as it stands in JSON within a string, and in the usual encodings. */
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

/** What is known to be secret. */
export interface Secrets {
  /** Variables, of the relay and of a handshake; those whose name says secret count. */
  readonly env: ReadonlyArray<Variables>
  /** More values. */
  readonly values?: ReadonlyArray<string>
}

export interface Redactor {
  /** Where secrets stand, in order, without overlaps. */
  readonly find: (text: string) => ReadonlyArray<Range>
  /** JSON, or lines of it, without secrets. */
  readonly redact: (json: string) => string
  /** From here on more text may make a secret of what stands at the end. */
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

/** Longer words are no secrets, but encoded pictures. */
const longestWord = 4096
const longestKey = 16 * 1024

const isSpace = (text: string, at: number) => text.charCodeAt(at) <= 0x20

/** Where the word before this place begins, or the place itself. */
export const wordBefore = (text: string, end: number): number => {
  let at = end
  while (at > 0 && isSpace(text, at - 1)) at -= 1
  while (at > 0 && end - at < longestWord && !isSpace(text, at - 1)) at -= 1
  return at
}

const makeFind = (values: ReadonlyArray<string>, named: ReadonlyArray<Shape>) => (text: string) => {
  const ranges: Array<Range> = []
  if (text.length < shortestText) return ranges
  for (const value of values) {
    for (let at = text.indexOf(value); at !== -1; at = text.indexOf(value, at + value.length)) {
      ranges.push([at, at + value.length])
    }
  }
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

const without = (text: string, ranges: ReadonlyArray<Range>): string => {
  let clean = ""
  let done = 0
  for (const [from, to] of ranges) {
    clean += text.slice(done, from) + placeholder
    done = to
  }
  return clean + text.slice(done)
}

/** The piece of a text that stands from here to there, without what is secret in it. */
export const cleanPiece = (
  text: string,
  ranges: ReadonlyArray<Range>,
  [begin, end]: Range
): string => {
  const inside = ranges.flatMap(([from, to]): ReadonlyArray<Range> =>
    to <= begin || from >= end ? [] : [[Math.max(from, begin) - begin, Math.min(to, end) - begin]]
  )
  const clean = without(text.slice(begin, end), inside)
  // A secret that began in a piece before is told there.
  const isContinued = ranges.some(([from, to]) => from < begin && to > begin)
  return isContinued ? clean.slice(placeholder.length) : clean
}

/** Where the string that begins at `open` has its closing quote. */
const closingQuote = (json: string, open: number): number => {
  for (let at = json.indexOf("\"", open + 1); at !== -1; at = json.indexOf("\"", at + 1)) {
    let slashes = 0
    while (json[at - 1 - slashes] === "\\") slashes += 1
    if (slashes % 2 === 0) return at
  }
  return json.length
}

/** A field's name says secret; what it holds is a word that nobody would choose. */
const isSecretField = (name: string, text: string) =>
  secretName.test(name) && text.length >= 16 && /^\S+$/.test(text) && /\d/.test(text) && /[A-Za-z]/.test(text)

/** Every string of a JSON text is written anew if `clean` changes what it stands for. */
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

/** A function that replaces secrets in JSON (or lines of it), knowing the values of these variables. */
export const makeRedact = (env: Variables): (json: string) => string => make({ env: [env] }).redact

/** The same for a text: it is cleaned as a text in JSON is. */
export const cleanText = (env: Variables): (text: string) => string => {
  const redact = makeRedact(env)
  return (text) => {
    // It takes JSON, and gives JSON.
    const told: unknown = JSON.parse(redact(JSON.stringify(text)))
    return typeof told === "string" ? told : ""
  }
}
