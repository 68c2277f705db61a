/**
 * askText: what a notification shows of a tool that waits for a permission.
 *
 * A person may say yes there only to what they see whole: the tool's own name and every argument in one short line of plain
 * characters, in a script that is read from left to right; nothing that a notification would cut, squeeze or turn around;
 * no secret taken out of it; and nothing that destroys, sends away or gives rights, where a second look in the page is due.
 * In every other case only its beginning is shown, and no.
 */
import type { PermissionRequest } from "../../schema/index.js"
import { nameOf, read, shells, unwrapped } from "../policy/shellCommands.js"
import { kindOf } from "../policy/toolCall.js"

export interface AskText {
  /** What would run, or its beginning. */
  readonly text: string
  /** It is all that would run, and may be allowed here. */
  readonly whole: boolean
}

/** Phones show about so many characters of a notification. */
const longest = 160
const shortened = 100

/** ASCII, and letters of scripts that are written from left to right and stand alone; single spaces, none at the ends. */
const plain =
  /^(?! )(?:(?! {2}| $)[\x20-\x7e\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}])+$/u
/** A word of several alphabets looks like another word. */
const mixed =
  /[A-Za-z][^ ]*[\p{Script=Greek}\p{Script=Cyrillic}]|[\p{Script=Greek}\p{Script=Cyrillic}][^ ]*[A-Za-z]/u

const isPlain = (text: string): boolean => plain.test(text) && !/\p{M}|\p{C}/u.test(text) && !mixed.test(text)

/** Programs whose harm is not undone, or that reach beyond this machine or user. */
const grave = new Set(
  `sudo doas su pkexec runuser rm rmdir shred unlink dd truncate mv install ln chmod chown chgrp setfacl chattr mount umount
  kill pkill killall shutdown reboot halt poweroff systemctl service launchctl crontab at batch
  curl wget fetch ssh scp sftp rsync nc ncat netcat telnet ftp socat
  docker podman kubectl helm terraform ansible aws gcloud az gh glab heroku vercel fly
  psql mysql mongo mongosh redis-cli sqlite3 eval exec source . env xargs parallel tee
  useradd usermod passwd iptables nft ufw sysctl insmod modprobe osascript security defaults powershell pwsh`
    .split(/\s+/)
)
/** Programs that run the text of an argument. */
const inline: Readonly<Record<string, RegExp>> = {
  python: /^-c/,
  python3: /^-c/,
  node: /^-[a-z]*[ep]|^--(eval|print)/,
  deno: /^eval$/,
  bun: /^-e|^eval$/,
  perl: /^-[a-zA-Z]*[eE]/,
  ruby: /^-[a-z]*e/,
  php: /^-r/,
  awk: /system|\|/,
  find: /^-(delete|exec|execdir|ok|okdir|fprint)/,
  sed: /^-[a-zA-Z]*i|^--in-place/
}
/** What these do is said by their second word. */
const second: Readonly<Record<string, RegExp>> = {
  git:
    /^(push|reset|clean|checkout|restore|rebase|filter-branch|filter-repo|reflog|gc|prune|branch|tag|remote|config|update-ref|stash|submodule|-.*)$/,
  npm: /^(publish|unpublish|deprecate|exec|x|owner|access|token|login|config|install|i|add|ci|update)$/,
  pnpm: /^(publish|dlx|exec|add|install|i|update)$/,
  yarn: /^(publish|dlx|exec|add|install|npm)$/,
  pip: /^(install|uninstall|download)$/,
  pip3: /^(install|uninstall|download)$/,
  uv: /^(pip|add|tool|publish|sync)$/,
  cargo: /^(publish|install|yank|login)$/,
  gem: /^(push|install|uninstall|yank)$/,
  apt: /./,
  "apt-get": /./,
  brew: /./,
  dnf: /./,
  yum: /./,
  npx: /./,
  pnpx: /./,
  bunx: /./,
  uvx: /./,
  make: /^(-f|--file|--eval)/
}
/** Hidden files, and others whose change gives rights or that hold secrets. */
const graveFile =
  /(^|[\s"'=:/~,])\.[A-Za-z_]|\/(etc|boot|usr|bin|sbin|lib|proc|sys|var|root)\/|authorized_keys|id_rsa|id_ed25519|\.pem\b/i
const graveName = /danger|unsafe|bypass|sandbox|force|escalat|background|permission/i

const isGraveCommand = (command: string): boolean => {
  const { commands, unclear } = read(unwrapped(command))
  return unclear !== undefined || commands.length === 0 || commands.some(({ redirects, words }) => {
    const [program = "", ...rest] = words
    const name = nameOf(program)
    return !/^[\x21-\x7e]+$/.test(program) || grave.has(name) || shells.has(name) || name.startsWith("mkfs")
      || rest.some((word) => inline[name]?.test(word) === true || graveName.test(word))
      || (second[name]?.test(rest[0] ?? "") ?? false)
      || redirects.some(({ kind, path }) =>
        kind === "write" && /^[/~]|\.\./.test(path) && path !== "/dev/null"
      )
  })
}

type Fields = Readonly<Record<string, unknown>>
const fieldsOf = (args: unknown): Fields =>
  typeof args === "object" && args !== null && !Array.isArray(args)
    ? args as Fields
    : args === undefined || args === null
    ? {}
    : { input: args }

const spelled = (value: unknown): string => {
  if (typeof value === "string") return value
  try {
    return JSON.stringify(value) ?? ""
  } catch {
    // Deeper than JSON goes: longer than is shown, too.
    return " ".repeat(longest)
  }
}

/** What agents say of a command beside it: it is not what runs. */
const remarks = new Set(["description", "commandActions"])

/** All there is to it: of a shell the command, of any other tool its own name first. */
const partsOf = (tool: string, fields: Fields): ReadonlyArray<string> => {
  const { command, ...others } = fields
  const isShell = kindOf(tool) === "execute" && typeof command === "string"
  const named = Object.entries(isShell ? others : fields).filter(([name]) => !remarks.has(name))
  return [isShell ? command : tool, ...named.map(([name, value]) => `${name}: ${spelled(value)}`)]
}

const cut = (text: string): string => {
  const line = text.replaceAll(/[\p{C}\p{Z}\s]+/gu, " ").trim()
  const chars = [...line]
  return chars.length > shortened ? `${chars.slice(0, shortened).join("")}…` : line
}

/** Agents name a path they were not given; also within the session's folder, where they may only ask. */
const leadsOut = (path: unknown, folder: string): boolean =>
  path !== undefined
  && (typeof path !== "string" || !path.startsWith(`${folder}/`) || path.split("/").includes(".."))

/** `folder` is the session's; `clean` takes secrets out of a text. */
export const askTextOf = (
  { args, metadata, tool = "" }: Pick<PermissionRequest, "args" | "metadata" | "tool">,
  folder: string,
  clean: (text: string) => string
): AskText => {
  const fields = fieldsOf(args)
  const parts = partsOf(tool, fields)
  const line = parts.join(" · ")
  const told = clean(line)
  const { command } = fields
  const isGrave = graveFile.test(line)
    // What a change of a file does is seen as a difference only, or not at all.
    || kindOf(tool) === "edit"
    || [tool, ...Object.keys(fields)].some((name) => graveName.test(name))
    || (command !== undefined && (typeof command !== "string" || isGraveCommand(command)))
    || leadsOut(metadata["blocked_path"], folder)
    || fieldsOf(metadata["policy"])["unclear"] !== undefined
  const whole = metadata.kind === "tool" && !isGrave && told === line && [...line].length <= longest
    && parts.every(isPlain)
  return { text: whole ? line : cut(told), whole }
}
