/**
 * askText: what a notification shows of a permission request, and whether it may be allowed there.
 *
 * A person may allow in a notification only what they see completely: the tool's own name and every argument in one short line
 * of plain, left-to-right characters, nothing that a notification would cut or reorder, no removed secrets, and nothing that
 * destroys, sends data away or grants rights, which deserves a second look in the page. In all other cases the notification
 * shows only the beginning and cannot allow it.
 */
import type { PermissionRequest } from "../../schema/index.js"
import { nameOf, read, shells, unwrapped } from "../policy/shellCommands.js"
import { kindOf } from "../policy/toolCall.js"

export interface AskText {
  /** What would run, or its beginning. */
  readonly text: string
  /** Whether the text is complete and may be allowed in the notification. */
  readonly whole: boolean
}

/** About how many characters of a notification phones show. */
const longest = 160
const shortened = 100

/** ASCII and letters of non-combining left-to-right scripts; single spaces, none at the ends. */
const plain =
  /^(?! )(?:(?! {2}| $)[\x20-\x7e\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}])+$/u
/** Words that mix alphabets can look like other words. */
const mixed =
  /[A-Za-z][^ ]*[\p{Script=Greek}\p{Script=Cyrillic}]|[\p{Script=Greek}\p{Script=Cyrillic}][^ ]*[A-Za-z]/u

const isPlain = (text: string): boolean => plain.test(text) && !/\p{M}|\p{C}/u.test(text) && !mixed.test(text)

/** Programs whose damage cannot be undone, or that reach beyond this machine or user. */
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
/** Programs whose second word tells what they do. */
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
/** Hidden files, and files that grant rights or contain secrets. */
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
    // Deeper values are too long to show, anyway.
    return " ".repeat(longest)
  }
}

/** Remarks of agents about a command, which do not run. */
const remarks = new Set(["description", "commandActions"])

/** All parts to show: the command for a shell, for other tools their name and arguments. */
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

/** Whether a path that the agent reports as blocked is outside the session's folder. */
const leadsOut = (path: unknown, folder: string): boolean =>
  path !== undefined
  && (typeof path !== "string" || !path.startsWith(`${folder}/`) || path.split("/").includes(".."))

/** `folder`: the session's; `clean`: removes secrets from a text. */
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
    // A change of a file can only be judged by its diff.
    || kindOf(tool) === "edit"
    || [tool, ...Object.keys(fields)].some((name) => graveName.test(name))
    || (command !== undefined && (typeof command !== "string" || isGraveCommand(command)))
    || leadsOut(metadata["blocked_path"], folder)
    || fieldsOf(metadata["policy"])["unclear"] !== undefined
  const whole = metadata.kind === "tool" && !isGrave && told === line && [...line].length <= longest
    && parts.every(isPlain)
  return { text: whole ? line : cut(told), whole }
}
