/** processes: looks at what runs on this machine (Linux). */
import { readdirSync, readFileSync } from "node:fs"

const read = (path: string) => {
  try {
    return readFileSync(path, "utf8")
  } catch {
    return ""
  }
}

/** Pids of living processes whose `/proc` file (words separated by NUL) contains the text. */
const search = (file: "cmdline" | "environ", text: string): ReadonlyArray<number> =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) =>
      pid !== process.pid
      && read(`/proc/${pid}/${file}`).replaceAll("\0", " ").includes(text)
      && !/^\d+ \(.*\) Z/.test(read(`/proc/${pid}/stat`))
    )

/** Those whose command line contains the text. */
export const running = (text: string) => search("cmdline", text)

/** Those that were started, by whomever, with this home folder. */
export const atHome = (home: string) => search("environ", `HOME=${home}`)

/** Wait until a fact holds; how long it took, in ms. */
export const until = async (fact: () => boolean, within = 5000): Promise<number> => {
  const started = performance.now()
  while (!fact()) {
    if (performance.now() - started > within) {
      throw new Error(`${String(fact)} did not come true within ${within} ms`)
    }
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  return performance.now() - started
}
