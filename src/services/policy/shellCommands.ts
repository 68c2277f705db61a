/**
 * shellCommands: which commands a shell would run for a text, as far as that is certain.
 *
 * This parser is deliberately smaller than a shell. It understands words of plain characters, quotes, operators between
 * commands, and redirections, but nothing that a shell would expand or keep for later. A full grammar would have to agree with
 * every shell in every detail to be safe; here only what is understood must be right, because nothing else is ever allowed
 * (`unclear` says why). The rest is still parsed as well as possible, including nested commands, so that a rule can deny it.
 */

export interface Redirect {
  readonly kind: "read" | "write"
  readonly path: string
}

export interface ShellCommand {
  /** The program and its arguments, without quotes. */
  readonly words: ReadonlyArray<string>
  /** Files it is connected to. */
  readonly redirects: ReadonlyArray<Redirect>
}

export interface ShellText {
  /** In the order of the text; nested commands follow the one that contains them. */
  readonly commands: ReadonlyArray<ShellCommand>
  /** Why it is uncertain what this does; undefined if it is certain. */
  readonly unclear: string | undefined
}

/** Longest text, and deepest nesting, that is understood. */
const longest = 64 * 1024
const deepest = 8

/** Characters of plain words outside quotes. */
const plain = /[A-Za-z0-9_./:,@%+=-]/

const keywords = new Set(
  "if then else elif fi for while until do done case esac select function time coproc in { } ! [[ ]]".split(
    " "
  )
)

/** Commands that change what later commands mean. */
const changing = new Set(
  "cd pushd popd alias unalias set shopt setopt unsetopt export declare typeset local readonly unset trap enable hash let read printf mapfile readarray getopts bind autoload zmodload umask ulimit function"
    .split(" ")
)

/** Commands that run a text or file in their arguments. */
const readers = new Set(["eval", ".", "source", "trap"])

/** Commands that print their arguments, which a shell behind a pipe runs. */
const printers = new Set(["echo", "printf"])

/** Shells whose `-c` is understood: they run a text like the shell around them. */
export const shells = new Set(["sh", "bash", "zsh", "dash", "ash", "ksh", "mksh", "fish", "rbash", "busybox"])

/** Programs that run the command in their arguments. */
const wrappers = new Set(
  "sudo doas su env xargs nohup nice timeout gtimeout time exec command builtin stdbuf setsid ionice chroot unshare nsenter flock strace ltrace watch parallel script xvfb-run busybox runuser setpriv taskset chrt prlimit catchsegv valgrind systemd-run firejail bwrap proot fakeroot entr caffeinate unbuffer ssh docker podman kubectl npx bunx pnpx uvx pipx dbus-run-session start-stop-daemon find fd noglob nocorrect then do else rlwrap socat pkexec gosu su-exec setarch linux32 linux64 tini dumb-init cgexec numactl toybox chronic sg newgrp faketime torsocks torify proxychains proxychains4 hyperfine cpulimit tmux screen csh tcsh pwsh powershell"
    .split(" ")
)

export const nameOf = (program: string): string => (program.split("/").at(-1) ?? program).toLowerCase()

interface Word {
  text: string
  /** Whether any part is quoted, which makes even an empty text a word. */
  isQuoted: boolean
}

const assignment = /^[A-Za-z_][A-Za-z0-9_]*(?:\[[^\]]*\])?\+?=/

const ansiC: Readonly<Record<string, string>> = {
  a: "\u0007",
  b: "\b",
  e: "\u001b",
  E: "\u001b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v"
}

/** The text of `$'…'`, as well as possible. */
const fromAnsiC = (text: string): string =>
  text.replace(
    /\\(?:x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{1,4})|U([0-9A-Fa-f]{1,8})|([0-7]{1,3})|([\s\S]))/g,
    (_, hex?: string, short?: string, long?: string, octal?: string, other?: string) => {
      const digits = hex ?? short ?? long
      const code = digits !== undefined
        ? parseInt(digits, 16)
        : octal !== undefined
        ? parseInt(octal, 8)
        : undefined
      if (code === undefined) return ansiC[other ?? ""] ?? other ?? ""
      return code <= 0x10ffff ? String.fromCodePoint(code) : ""
    }
  )

/** Most work in total, in characters and words; texts that need more are not understood. */
const mostWork = 1_000_000

interface Work {
  left: number
}

export const read = (text: string): ShellText => readAt(text, 0, { left: mostWork })

const readAt = (text: string, depth: number, work: Work): ShellText => {
  const commands: Array<ShellCommand> = []
  let unclear: string | undefined
  const doubt = (reason: string) => void (unclear ??= reason)
  if (text.length > longest) return { commands, unclear: "it is too long" }
  if (depth > deepest) return { commands, unclear: "it is nested too deeply" }
  work.left -= text.length
  if (work.left < 0) return { commands, unclear: "it is too complicated" }

  let words: Array<string> = []
  let redirects: Array<Redirect> = []
  let assigned = false
  /** Whether the word before was the shell's `time`. */
  let timed = false
  let word: Word | undefined
  let redirect: Redirect["kind"] | "copy" | "said" | undefined
  let heredocs = 0
  /** Whether a command must follow, after `|`, `&&` or `||`. */
  let isOpen = false

  const within = (inner: string) => {
    const found = readAt(inner, depth + 1, work)
    commands.push(...found.commands)
    if (found.unclear !== undefined) doubt(found.unclear)
  }
  const open = (): Word => word ??= { text: "", isQuoted: false }

  const endWord = () => {
    const done = word
    word = undefined
    if (done === undefined) return
    if (redirect !== undefined) {
      const kind = redirect
      redirect = undefined
      if (kind === "copy") {
        if (!/^[012]$/.test(done.text)) doubt("it redirects in a way that is not understood")
        return
      }
      // A shell would run it.
      if (kind === "said") return within(done.text)
      if (done.text !== "/dev/null") redirects.push({ kind, path: done.text })
      return
    }
    if (words.length === 0 && !done.isQuoted && keywords.has(done.text)) {
      doubt(`it uses the shell's \`${done.text}\``)
      timed = done.text === "time"
      return
    }
    // `time -p` is no command of that name.
    if (words.length === 0 && timed && done.text.startsWith("-")) return
    if (words.length === 0 && assignment.test(done.text)) {
      doubt("it sets a variable")
      assigned = true
      return
    }
    if (!done.isQuoted && done.text.startsWith("=")) doubt("a word begins with =")
    words.push(done.text)
  }

  const endCommand = () => {
    endWord()
    if (redirect !== undefined) doubt("it redirects to nothing")
    redirect = undefined
    const isThere = words.length > 0 || redirects.length > 0 || assigned
    if (words.length > 0 || redirects.length > 0) add({ words, redirects })
    if (isThere) isOpen = false
    words = []
    redirects = []
    assigned = false
    timed = false
    return isThere
  }

  const add = (command: ShellCommand) => {
    commands.push(command)
    const [program = "", ...args] = command.words
    if (program === "") doubt("it redirects without a command, or runs an empty name")
    const name = nameOf(program)
    if (readers.has(name)) {
      doubt(`\`${name}\` runs what nobody sees here`)
      within((args[0] === "--" ? args.slice(1) : args).join(" "))
    } else if (shells.has(name)) {
      const at = args.findIndex((arg) => /^[-+][A-Za-z]*c[A-Za-z]*$/.test(arg))
      const script = args.slice(at + 1).find((arg) => !arg.startsWith("-") && !arg.startsWith("+"))
      if (at === -1 || script === undefined) {
        doubt(`\`${name}\` runs what nobody sees here`)
        // `echo rm x | sh`
        const { words: [before = "", ...said] = [] } = commands.at(-2) ?? {}
        if (printers.has(nameOf(before))) within(said.filter((word) => !word.startsWith("-")).join(" "))
      } else {
        within(script)
        // The script may run its arguments: `sh -c '"$@"' _ rm x`.
        if (script.includes("$")) wrapped(args.slice(args.indexOf(script) + 1))
      }
      if (name === "busybox") wrapped(args)
    } else if (wrappers.has(name)) wrapped(args)
  }

  /** Where the command begins in a wrapper's arguments depends on its options, so every position is considered. */
  const wrapped = (args: ReadonlyArray<string>) => {
    doubt("it runs a command through another")
    args.forEach((arg, index) => {
      if (work.left < 0) return
      work.left -= args.length - index
      // `env -S`, `su -c`, `ssh host "…"`: a text, also right after its option.
      const text = arg.replace(/^(?:--[a-z-]+=|-[A-Za-z]*S)/, "")
      if (/[\s;|&]/.test(text)) within(text)
      else if (text !== arg && text !== "") {
        commands.push({ words: [text, ...args.slice(index + 1)], redirects: [] })
      } else if (arg !== "" && !arg.startsWith("-") && !assignment.test(arg)) {
        commands.push({ words: args.slice(index), redirects: [] })
        if (shells.has(nameOf(arg))) {
          const script = args.slice(index + 1).find((other) => !other.startsWith("-"))
          if (script !== undefined) within(script)
        }
      }
    })
  }

  /** The position after the bracket that closes the one at `at`, ignoring quoted ones. */
  const closing = (at: number, opener: string, closer: string): number => {
    let level = 0
    for (let place = at; place < text.length && work.left >= 0; place += 1) {
      work.left -= 1
      const character = text[place]
      if (character === "\\") place += 1
      else if (character === "'") {
        const end = text.indexOf("'", place + 1)
        place = end === -1 ? text.length : end
      } else if (character === opener) level += 1
      else if (character === closer && --level === 0) return place + 1
    }
    return text.length
  }

  /** The position after the expansion that starts with `$` or a backtick at `at`. */
  const expand = (at: number): number => {
    const next = text[at + 1]
    if (text[at] === "`") {
      doubt("it runs a command within another (`…`)")
      let end = at + 1
      while (end < text.length && text[end] !== "`") end += text[end] === "\\" ? 2 : 1
      within(text.slice(at + 1, end).replace(/\\([`$\\])/g, "$1"))
      return end + 1
    }
    if (next === "(") {
      doubt("it runs a command within another ($(…))")
      const end = closing(at + 1, "(", ")")
      within(text.slice(at + 2, end - 1).replace(/^\(([\s\S]*)\)$/, "$1"))
      return end
    }
    if (next === "{") {
      doubt("it uses a variable")
      const end = closing(at + 1, "{", "}")
      const inner = text.slice(at + 2, end - 1)
      if (/[$`]/.test(inner)) within(inner.replace(/^[^$`]*/, ""))
      return end
    }
    doubt("it uses a variable")
    return at + 1
  }

  const single = (at: number): number => {
    const end = text.indexOf("'", at + 1)
    if (end === -1) doubt("a quote is not closed")
    return end === -1 ? text.length : end
  }

  const double = (at: number): number => {
    const into = open()
    into.isQuoted = true
    let place = at + 1
    while (place < text.length && text[place] !== "\"") {
      const character = text[place] ?? ""
      if (character === "\\") {
        const next = text[place + 1] ?? ""
        if (next === "\n") place += 2
        else {
          into.text += "$`\"\\".includes(next) ? next : `\\${next}`
          place += 2
        }
      } else if (character === "$" || character === "`") place = expand(place)
      else {
        if (character === "!") doubt("an exclamation mark may stand for an earlier command")
        into.text += character
        place += 1
      }
    }
    if (place >= text.length) doubt("a quote is not closed")
    return place + 1
  }

  // Terminals and shells disagree on these; \r at the end of a line is part of the last word.
  if (/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/.test(text)) doubt("it holds control characters")

  let at = 0
  while (at < text.length && work.left >= 0) {
    const character = text[at] ?? ""
    const next = text[at + 1] ?? ""
    if (character === " " || character === "\t") {
      endWord()
      at += 1
    } else if (character === "\n") {
      if (heredocs > 0) {
        // Text up to a delimiter follows, not commands; a shell may still expand it.
        endCommand()
        within(text.slice(at + 1))
        at = text.length
      } else {
        endCommand()
        at += 1
      }
    } else if (character === "\\") {
      if (next === "") {
        doubt("it ends with a backslash")
        at += 1
      } else {
        if (next !== "\n") {
          const into = open()
          into.text += next
          into.isQuoted = true
        }
        at += 2
      }
    } else if (character === "'") {
      const end = single(at)
      const into = open()
      into.text += text.slice(at + 1, end)
      into.isQuoted = true
      at = end + 1
    } else if (character === "\"") at = double(at)
    else if (character === "$" && next === "'") {
      doubt("it uses $'…'")
      let end = at + 2
      while (end < text.length && text[end] !== "'") end += text[end] === "\\" ? 2 : 1
      const into = open()
      into.text += fromAnsiC(text.slice(at + 2, end))
      into.isQuoted = true
      at = end + 1
    } else if (character === "$" && next === "\"") {
      doubt("it uses $\"…\"")
      at = double(at + 1)
    } else if (character === "$" || character === "`") {
      open()
      at = expand(at)
    } else if (character === ";" || character === "|" || character === "&") {
      if (character === "&" && next === ">") {
        endWord()
        redirect = "write"
        at += text[at + 2] === ">" ? 3 : 2
        continue
      }
      if (character === "|" && next === "&") doubt("it joins outputs with |&")
      if (character === ";" && (next === ";" || next === "&")) doubt("it uses the shell's `case`")
      if (!endCommand()) doubt("an operator stands where a command belongs")
      const isDouble = (character === "&" || character === "|") && next === character
      isOpen = isDouble || character === "|"
      at += isDouble ? 2 : 1
    } else if (character === "<" || character === ">") {
      if (word !== undefined && /^[0-9]+$/.test(word.text) && !word.isQuoted) {
        if (word.text.length > 1 || Number(word.text) > 2) {
          doubt("it redirects in a way that is not understood")
        }
        word = undefined
      } else endWord()
      if (redirect !== undefined) doubt("it redirects in a way that is not understood")
      if (next === "(") {
        doubt("it runs a command within another (<(…))")
        const end = closing(at + 1, "(", ")")
        within(text.slice(at + 2, end - 1))
        open()
        at = end
      } else if (character === "<" && next === "<") {
        const isString = text[at + 2] === "<"
        doubt(isString ? "it uses a here-string" : "it uses a here-document")
        if (!isString) heredocs += 1
        redirect = isString ? "said" : "read"
        at += text[at + 2] === "<" || text[at + 2] === "-" ? 3 : 2
      } else if (next === "&") {
        redirect = "copy"
        at += 2
      } else {
        redirect = character === "<" && next !== ">" ? "read" : "write"
        at += next === ">" || next === "|" ? 2 : 1
      }
    } else if (character === "(" || character === ")") {
      doubt("it uses parentheses")
      endCommand()
      at += 1
    } else if (character === "{" || character === "}") {
      doubt("it uses braces")
      if (word === undefined && /[\s;]/.test(next === "" ? " " : next)) endCommand()
      else braces(at)
      at += 1
    } else if (character === "#" && word === undefined) {
      doubt("it holds a comment")
      const end = text.indexOf("\n", at)
      at = end === -1 ? text.length : end
    } else {
      if (!plain.test(character)) {
        doubt(
          "*?[".includes(character)
            ? "it uses a pattern of file names"
            : character === "~"
            ? "it uses ~"
            : "it holds characters outside of quotes that shells treat differently"
        )
      }
      open().text += character
      at += 1
    }
  }
  endCommand()
  if (work.left < 0) doubt("it is too complicated")
  if (isOpen) doubt("it ends with an operator")

  /** `{rm,-rf,/}` is what a shell makes of it. */
  function braces(from: number) {
    if (text[from] !== "{") return
    const end = closing(from, "{", "}")
    const inner = text.slice(from + 1, end - 1)
    if (inner.includes(",")) commands.push({ words: inner.split(","), redirects: [] })
  }

  if (commands.length > 1) {
    const found = commands.find(({ words: [program = ""] }) => changing.has(nameOf(program)))
    if (found !== undefined) doubt(`\`${found.words[0]}\` changes what the others mean`)
  }
  if (commands.length === 0) doubt("it runs nothing")
  return { commands, unclear }
}

const scriptOptions = new Set(["-c", "-lc", "-cl"])
const shellFolders = new Set(["/bin/", "/usr/bin/", "/usr/local/bin/", "/opt/homebrew/bin/", ""])

/**
 * The text in `bash -lc '…'`, if there is nothing else: some agents wrap each command like this. With other shells, options or
 * more arguments, the text is returned unchanged.
 */
export const unwrapped = (text: string): string => {
  // Only the outer shell's text is parsed here, not the script in it.
  const { commands } = read(text)
  const [first] = commands
  const [program = "", option = "", script, ...rest] = first?.words ?? []
  const folder = program.slice(0, program.lastIndexOf("/") + 1)
  const isShell = ["sh", "bash", "zsh", "dash"].includes(program.slice(folder.length)) &&
    shellFolders.has(folder)
  if (!isShell || !scriptOptions.has(option) || script === undefined || rest.length > 0) return text
  if (first?.redirects.length !== 0) return text
  // The outer text must be this single command: written out again it is the same text, apart from quoting.
  const outer = outermost(text)
  return outer === 1 ? script : text
}

/** The number of commands in a text that consists of words and quotes only; 0 if there is anything else. */
const outermost = (text: string): number =>
  /^[ \t]*(?:[A-Za-z0-9_./-]+|'[^']*'|"(?:[^"\\$`!]|\\[\s\S])*"|\\[^\n]|[ \t])*$/.test(text) &&
    text.length <= longest
    ? 1
    : 0
