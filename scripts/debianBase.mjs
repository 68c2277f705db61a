/** debianBase: a small Debian, of the packages and the Node this machine has, as the base of an image. */
import { execFileSync } from "node:child_process"
import { existsSync, realpathSync, writeFileSync } from "node:fs"
import { basename, dirname, join } from "node:path"

const read = (command, ...args) => execFileSync(command, args, { encoding: "utf8", maxBuffer: 1e9 })

const authorities = "/etc/ssl/certs/ca-certificates.crt"
const packages =
  "base-files base-passwd bash ca-certificates coreutils dash findutils git grep gzip hostname libc-bin libstdc++6 passwd "
  + "procps sed tar tini"

/** Written into `folder`: the tar, and what an image of it has to say. */
export const makeBase = (folder) => {
  const only = ["recommends", "suggests", "conflicts", "breaks", "replaces", "enhances"].map((kind) =>
    `--no-${kind}`
  )
  const needed = read("apt-cache", "depends", "--recurse", "--installed", ...only, ...packages.split(" "))
  const installed = new Set(read("dpkg-query", "-W", "-f", "${Package}\\n").split("\n"))
  const names = [...new Set(needed.split("\n"))].filter((name) => name !== "" && installed.has(name))
  // Through the links of a merged /usr to where a file really is.
  const place = (path) => join(realpathSync(dirname(path)), basename(path))
  const files = read("dpkg-query", "-L", ...names).split("\n").filter((path) =>
    path.startsWith("/") && existsSync(path) && !/^\/usr\/share\/(doc|info|lintian|locale|man)\//.test(path)
  )
  const links = ["/bin", "/lib", "/lib64", "/sbin", "/tmp", authorities].filter(existsSync)
  const node = realpathSync(process.execPath)
  const npm = join(dirname(node), "../lib/node_modules/npm")
  const made = ["/etc/passwd", "/etc/group"]
  const listed = new Set([...files.map(place), ...links].filter((path) => !made.includes(path)))
  const list = join(folder, "files")
  const tar = join(folder, "base.tar")
  writeFileSync(list, [...listed].map((path) => path.slice(1)).join("\n"))
  read("tar", "-C", "/", "--no-recursion", "-T", list, "-cf", tar)
  const bin = ["npm", "npx"].map((name) => join(dirname(node), name))
  read("tar", "-C", "/", "-rf", tar, ...[node, ...bin, npm].map((path) => path.slice(1)))
  for (const path of made) {
    const master = `usr/share/base-passwd/${basename(path)}.master`
    read("tar", "-C", "/", "-rf", tar, "--transform", `s,.*,${path.slice(1)},`, master)
  }
  const settings = [`ENV PATH=${dirname(node)}:/usr/local/bin:/usr/bin:/usr/sbin`, "CMD [\"node\"]"]
  // Whom this machine believes, the base does too; Node asks only whom it is told to.
  if (links.includes(authorities)) settings.push(`ENV NODE_EXTRA_CA_CERTS=${authorities}`)
  return { settings, tar }
}
