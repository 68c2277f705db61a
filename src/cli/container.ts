/**
 * container: whether this program runs in a container, where clients that come through a published port may look local.
 *
 * The files that mark an image are not enough: a virtual machine may be built from one, but its root is a whole disk.
 */
import { existsSync, readFileSync } from "node:fs"

const read = (path: string): string => {
  try {
    return readFileSync(path, "utf8")
  } catch {
    return ""
  }
}

/** Whether the root file system is a whole disk, as on a machine, and not layers or a folder. */
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
