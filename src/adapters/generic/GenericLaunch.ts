/**
 * GenericLaunch: which program a handshake means, and whether the relay may start it.
 */
import { Effect } from "effect"
import type { AgentSpec, LaunchSpec } from "../Adapter.js"
import { BadHandshake } from "../AdapterError.js"

/**
 * Program names as spelled in a handshake; `*` means any.
 *
 * If empty, `generic` runs any `command`, because a client of the relay can have any agent run anything; but
 * no `tool` is taken for a program, so that a misspelt agent is an error. If not empty, only these programs
 * run, either way.
 */
export type AllowedPrograms = ReadonlyArray<string>

const isListed = (program: string, allowed: AllowedPrograms) =>
  allowed.includes("*") || allowed.includes(program)

/** Whether a `tool` that is not an agent may be run as a program on PATH. */
export const mayBeTool = (tool: string, allowed: AllowedPrograms): boolean =>
  !tool.includes("/") && isListed(tool, allowed)

/** What to do if the program is missing. */
export const install = "Install it on the relay's machine, or set `command` to the program's full path."

const example = "such as [\"bash\", \"-l\"]"

export const toLaunch = Effect.fnUntraced(function*(spec: AgentSpec, allowed: AllowedPrograms) {
  const { extra_args = [], folder, tool } = spec
  const given = typeof spec.command === "string" ? [spec.command] : spec.command ?? []
  const isTool = tool !== "generic"
  const [command, ...args] = isTool ? [tool] : given
  if (command === undefined) {
    return yield* new BadHandshake({
      reason: `\`generic\` needs \`command\`: the program and its arguments, ${example}`
    })
  }
  if (isTool && given.length > 0) {
    return yield* new BadHandshake({
      reason:
        `set \`tool\` to "generic" to use \`command\`, or give "${tool}" its arguments as \`extra_args\``
    })
  }
  if (allowed.length > 0 && !isListed(command, allowed)) {
    return yield* new BadHandshake({
      reason: `this relay runs only ${
        allowed.join(", ")
      } on a terminal: start it with --allow-program ${command} to add it`
    })
  }
  if ([command, ...args, ...extra_args].some((word) => word.includes("\0"))) {
    return yield* new BadHandshake({ reason: "`command` contains a NUL character: remove it" })
  }
  const launch: LaunchSpec = {
    tool: command,
    command,
    args: [...args, ...extra_args],
    cwd: folder,
    // Clients may override this for their own terminal emulator.
    clientEnv: { TERM: "xterm-256color", COLORTERM: "truecolor", ...spec.env },
    advice: install
  }
  return launch
})
