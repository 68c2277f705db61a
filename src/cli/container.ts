/**
 * container: does this program run in a container? There, what a port is published through may look like a program of the
 * same machine.
 *
 * A file that images carry is not enough: a virtual machine may be made of one. Its root is then a disk.
 */
import { existsSync, readFileSync } from "node:fs"

const read = (path: string): string => {
  try {
    return readFileSync(path, "utf8")
  } catch {
    return ""
  }
}

/** The root file system is a whole disk, as a machine has it: not layers, nor a folder of one. */
const hasOwnDisk = (mounts: string): boolean =>
  mounts.split("\n").some((line) => {
    const [fields = "", more = ""] = line.split(" - ")
    const [, , , within, at] = fields.split(" ")
    return at === "/" && within === "/" && more.split(" ")[1]?.startsWith("/dev/") === true
  })

export interface Signs {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly exists: (path: string) => boolean
  readonly read: (path: string) => string
}

export const isContainer = (
  { env, exists, read: readFile }: Signs = { env: process.env, exists: existsSync, read }
): boolean =>
  (env["container"] ?? "") !== ""
  || env["KUBERNETES_SERVICE_HOST"] !== undefined
  || exists("/run/.containerenv")
  || /docker|kubepods|containerd|libpod|lxc|garden/.test(readFile("/proc/self/cgroup"))
  || (exists("/.dockerenv") && !hasOwnDisk(readFile("/proc/self/mountinfo")))
