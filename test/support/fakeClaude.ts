/** fakeClaude: an agent that needs no network, fast enough for load. What it does is said in `fakeClaude.mjs`. */
import { mkdirSync, symlinkSync } from "node:fs"
import { delimiter, dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

const pathOf = (name: string) => fileURLToPath(new URL(name, import.meta.url))
const script = pathOf("./fakeClaude.mjs")
/** One that is small: what it does is said in `shellClaude.sh`. */
export const shellClaude = pathOf("./shellClaude.sh")

/** Make `claude` mean the fake one; the environment for a relay at this home. */
export const installFakeClaude = (home: string, program = script): Record<string, string> => {
  const bin = join(home, "bin")
  mkdirSync(bin, { recursive: true })
  symlinkSync(program, join(bin, "claude"))
  return { HOME: home, PATH: [bin, dirname(process.execPath), "/usr/bin", "/bin"].join(delimiter) }
}
