/**
 * openaiTools: neutral tools as Codex offers them, which depends on its version and on the model it believes to call.
 *
 * With `apply_patch` on offer files change through it (and Codex shows a fileChange item), else through the shell.
 */

import type { Offered } from "./Dialect.js"
import type { Tool } from "./script.js"

export type NativeCall =
  | {
    readonly type: "function_call"
    readonly name: string
    readonly namespace?: string
    readonly arguments: string
  }
  | { readonly type: "custom_tool_call"; readonly name: string; readonly input: string }

const prefixed = (sign: string, text: string) =>
  text.replace(/\n$/, "").split("\n").map((line) => `${sign}${line}`).join("\n")

const patch = (body: string): NativeCall => ({
  type: "custom_tool_call",
  name: "apply_patch",
  input: `*** Begin Patch\n${body}\n*** End Patch\n`
})

const call = (name: string, input: object): NativeCall => ({
  type: "function_call",
  name,
  arguments: JSON.stringify(input)
})

const shell = (command: string, escalate: boolean, offered: Offered): NativeCall => {
  const permission = escalate
    ? { sandbox_permissions: "require_escalated", justification: "The script asks for it." }
    : {}
  if (offered.has("exec_command")) return call("exec_command", { cmd: command, ...permission })
  if (offered.has("shell_command")) return call("shell_command", { command, ...permission })
  return call("shell", { command: ["bash", "-lc", command], ...permission })
}

const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`

const replaceByShell = (path: string, old: string, next: string) =>
  `node -e ${
    quoted(
      "const fs=require('fs');const [p,a,b]=process.argv.slice(1);"
        + "fs.writeFileSync(p,fs.readFileSync(p,'utf8').replace(a,()=>b))"
    )
  } ${[path, old, next].map(quoted).join(" ")}`

export const toNativeCall = (tool: Tool, offered: Offered): NativeCall => {
  if ("name" in tool) {
    const { input, name, namespace } = tool
    return { ...call(name, input), ...(namespace !== undefined && { namespace }) }
  }
  const patches = offered.has("apply_patch")
  switch (tool.kind) {
    case "shell":
      return shell(tool.command, tool.escalate === true, offered)
    case "read":
      return shell(`cat ${quoted(tool.path)}`, false, offered)
    case "write":
      return patches
        ? patch(`*** Add File: ${tool.path}\n${prefixed("+", tool.content)}`)
        : shell(`printf %s ${quoted(tool.content)} > ${quoted(tool.path)}`, false, offered)
    case "edit":
      return patches
        ? patch(`*** Update File: ${tool.path}\n@@\n${prefixed("-", tool.old)}\n${prefixed("+", tool.new)}`)
        : shell(replaceByShell(tool.path, tool.old, tool.new), false, offered)
  }
}
