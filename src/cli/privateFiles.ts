/**
 * privateFiles: what agents in a sandbox may neither read nor replace, besides the state folder: the relay's secrets and rules, and
 * what it will obey or run at its next start.
 */
import { Option } from "effect"
import { join, sep } from "node:path"
import { codeFolder } from "./codeCache.js"
import { configFolder, namedFile } from "./configFile.js"
import type { ServeFlags } from "./options.js"

export const privateFiles = (
  { acp_registry, policy, tls_key, token_file }: Pick<
    ServeFlags,
    "acp_registry" | "policy" | "tls_key" | "token_file"
  >,
  args: ReadonlyArray<string> = process.argv.slice(2),
  env: Readonly<Record<string, string | undefined>> = process.env
): ReadonlyArray<string> => {
  const config = namedFile(args, env)
  return [
    ...[token_file, policy, tls_key, acp_registry].flatMap(Option.toArray),
    ...config === undefined ? [] : [config],
    ...[configFolder(env), codeFolder()].map((folder) => join(folder, sep))
  ]
}
