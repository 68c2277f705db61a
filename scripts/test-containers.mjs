/**
 * test-containers: `npm run test:containers`. Builds the image and runs the lab with a Docker engine of its own, which is
 * there for the tests alone and gone after them.
 *
 * No image can be pulled everywhere, so the base of the image is made of this machine's own files. Where no engine can be
 * had, what needs one is skipped and says why: the suites read $AI_RELAY_SKIP_CONTAINERS.
 */
import { execFileSync, spawn, spawnSync } from "node:child_process"
import {
  createWriteStream,
  existsSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { basename, dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("..", import.meta.url))
const { env } = process
const folder = mkdtempSync(join(tmpdir(), "ai-relay-engine-"))
const socket = join(folder, "docker.sock")
const engineLog = join(folder, "dockerd.log")
const docker = { ...env, DOCKER_HOST: `unix://${socket}`, DOCKER_BUILDKIT: "0" }

const say = (text) => console.log(`containers: ${text}`)
const read = (command, ...args) => execFileSync(command, args, { encoding: "utf8", maxBuffer: 1e9 })
const runs = (command, ...args) =>
  spawnSync(command, args, { cwd: root, env: docker, stdio: ["ignore", "inherit", "inherit"] }).status === 0

/** What cannot be tested, in words. */
class Impossible extends Error {}

const has = (program) => spawnSync("sh", ["-c", `command -v ${program}`]).status === 0

/** What the base and the engine are made of. */
const programs = { dockerd: "docker.io", docker: "docker.io", tini: "tini", git: "git", "dpkg-query": "dpkg" }

const install = () => {
  if (process.platform !== "linux" || process.getuid() !== 0) {
    throw new Impossible("an engine of one's own needs root, on Linux")
  }
  const missing = Object.keys(programs).filter((program) => !has(program))
  if (missing.length === 0) return
  const packages = new Set(missing.map((program) => programs[program]))
  say(`installing ${[...packages].join(", ")}`)
  const apt = (...args) =>
    spawnSync("apt-get", args, { env: { ...env, DEBIAN_FRONTEND: "noninteractive" } }).status
  apt("update")
  if (apt("install", "--yes", ...packages) !== 0) {
    throw new Impossible(`${missing.join(", ")} cannot be installed with apt-get`)
  }
}

const startEngine = async () => {
  const engine = spawn("dockerd", [
    ...["--data-root", join(folder, "data"), "--exec-root", join(folder, "exec")],
    ...["--host", `unix://${socket}`, "--pidfile", join(folder, "dockerd.pid"), "--log-level", "warn"]
  ], { stdio: ["ignore", "pipe", "pipe"], detached: true })
  const log = createWriteStream(engineLog)
  engine.stdout.pipe(log)
  engine.stderr.pipe(log)
  for (let tries = 0; tries < 240 && engine.exitCode === null; tries++) {
    if (spawnSync("docker", ["info"], { env: docker }).status === 0) return engine
    await new Promise((resolve) => setTimeout(resolve, 500))
  }
  engine.kill("SIGKILL")
  throw new Impossible(`dockerd does not start: ${readFileSync(engineLog, "utf8").trim().split("\n").at(-1)}`)
}

const packages =
  "base-files base-passwd bash ca-certificates coreutils dash findutils git grep gzip hostname libc-bin libstdc++6 passwd "
  + "procps sed tar tini"

/** A small Debian, of the packages and the Node this machine has. */
const importBase = () => {
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
  const links = ["/bin", "/lib", "/lib64", "/sbin", "/tmp", "/etc/ssl/certs/ca-certificates.crt"].filter(
    existsSync
  )
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
  // What this machine believes, the base does too.
  if (env.NODE_EXTRA_CA_CERTS) settings.push("ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt")
  const changes = settings.flatMap((line) => ["--change", line])
  if (!runs("docker", "import", ...changes, tar, "base:local")) throw new Error("the base cannot be imported")
  rmSync(tar)
}

const buildImage = () =>
  runs(
    "docker",
    "build",
    "--network",
    "host",
    "--build-arg",
    "BASE=base:local",
    "--tag",
    "ohwise-lab-ctrl:local",
    "."
  )

const runTests = (skip) =>
  new Promise((resolve) => {
    const vitest = [join(root, "node_modules/vitest/vitest.mjs"), "run", "--project", "containers"]
    spawn(process.execPath, [...vitest, ...process.argv.slice(2)], {
      cwd: root,
      stdio: "inherit",
      env: {
        ...env,
        ...(skip === undefined ? { DOCKER_HOST: docker.DOCKER_HOST } : { AI_RELAY_SKIP_CONTAINERS: skip })
      }
    }).once("exit", (code) => resolve(code ?? 1))
  })

/** Containers first, or their mounts would outlive the engine. */
const stopEngine = async (engine) => {
  if (engine === undefined || engine.exitCode !== null) return
  spawnSync("docker", ["swarm", "leave", "--force"], { env: docker })
  spawnSync("sh", ["-c", "docker rm --force $(docker ps --all --quiet)"], { env: docker })
  spawnSync("docker", ["network", "prune", "--force"], { env: docker })
  const ended = new Promise((resolve) => engine.once("exit", resolve))
  engine.kill("SIGTERM")
  await ended
  // It leaves a network namespace mounted.
  const mounts = readFileSync("/proc/mounts", "utf8").split("\n").map((line) => line.split(" ")[1] ?? "")
  for (const mount of mounts.toReversed()) {
    if (mount.startsWith(`${folder}/`)) spawnSync("umount", ["--lazy", mount])
  }
}

let engine
try {
  let skip
  try {
    install()
    engine = await startEngine()
    importBase()
  } catch (error) {
    if (!(error instanceof Impossible)) throw error
    skip = error.message
    say(`skipped what needs an engine: ${skip}`)
  }
  if (skip === undefined && !buildImage()) throw new Error("the image cannot be built")
  process.exitCode = await runTests(skip)
} catch (error) {
  console.error(error)
  process.exitCode = 1
} finally {
  await stopEngine(engine)
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
}
