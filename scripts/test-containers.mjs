/**
 * test-containers: `npm run test:containers`. Builds the image and runs the lab with a Docker engine of its own, which is
 * there for the tests alone and gone after them.
 *
 * No image can be pulled everywhere, so the base of the image is made of this machine's own files. Where no engine can be
 * had, what needs one is skipped and says why: the suites read $AI_RELAY_SKIP_CONTAINERS. The engine listens on a socket
 * and, for tests of remote engines, on a loopback port that asks for a certificate made for this run.
 */
import { execFileSync, spawn, spawnSync } from "node:child_process"
import {
  copyFileSync,
  createWriteStream,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync
} from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { makeBase } from "./debianBase.mjs"

const root = fileURLToPath(new URL("..", import.meta.url))
const { env } = process
const folder = mkdtempSync(join(tmpdir(), "ai-relay-engine-"))
const socket = join(folder, "docker.sock")
const engineLog = join(folder, "dockerd.log")
const certificates = join(folder, "certificates")
const docker = { ...env, DOCKER_HOST: `unix://${socket}`, DOCKER_BUILDKIT: "0" }

const say = (text) => console.log(`containers: ${text}`)
const runs = (command, ...args) =>
  new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, env: docker, stdio: ["ignore", "inherit", "inherit"] })
    child.once("error", () => resolve(false)).once("exit", (code) => resolve(code === 0))
  })

/** What cannot be tested, in words. */
class Impossible extends Error {}

const works = (command, ...args) => spawnSync(command, args).status === 0
const has = (program) => works("sh", "-c", `command -v ${program}`)

/** What the base and the engine are made of. */
const programs = {
  dockerd: "docker.io",
  docker: "docker.io",
  tini: "tini",
  git: "git",
  openssl: "openssl",
  ip: "iproute2",
  "dpkg-query": "dpkg"
}

const aptInstall = (...packages) => {
  say(`installing ${packages.join(", ")}`)
  const options = { env: { ...env, DEBIAN_FRONTEND: "noninteractive" } }
  spawnSync("apt-get", ["update"], options)
  return spawnSync("apt-get", ["install", "--yes", ...packages], options).status === 0
}

const install = () => {
  if (process.platform !== "linux" || process.getuid() !== 0) {
    throw new Impossible("an engine of one's own needs root, on Linux")
  }
  const missing = Object.keys(programs).filter((program) => !has(program))
  if (missing.length === 0) return
  const packages = new Set(missing.map((program) => programs[program]))
  if (!aptInstall(...packages)) {
    throw new Impossible(`${missing.join(", ")} cannot be installed with apt-get`)
  }
}

/** How compose is called here: as a part of `docker`, or by its own name. */
const findCompose = () => {
  const found = () =>
    works("docker", "compose", "version")
      ? "docker compose"
      : works("docker-compose", "version")
      ? "docker-compose"
      : undefined
  const compose = found() ?? (aptInstall("docker-compose") ? found() : undefined)
  if (compose === undefined) say("skipped compose.yaml: there is no docker compose, and apt-get has none")
  return compose
}

const freePort = () =>
  new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })

/** One certificate is the authority, the engine and its client. */
const makeCertificate = () => {
  mkdirSync(certificates)
  const [cert, key, ca] = ["cert.pem", "key.pem", "ca.pem"].map((name) => join(certificates, name))
  const kind = ["-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
  const names = ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
  execFileSync("openssl", ["req", ...kind, ...names, "-keyout", key, "-out", cert], { stdio: "ignore" })
  copyFileSync(cert, ca)
  return ["--tlsverify", "--tlscacert", ca, "--tlscert", cert, "--tlskey", key]
}

const startEngine = async (address) => {
  const engine = spawn("dockerd", [
    ...["--host", address, ...makeCertificate()],
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

const importBase = async () => {
  const { settings, tar } = makeBase(folder)
  const changes = settings.flatMap((line) => ["--change", line])
  if (!await runs("docker", "import", ...changes, tar, "base:local")) {
    throw new Error("the base cannot be imported")
  }
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

/** Most of a test's time is waiting for the engine: two files at a time. */
const runTests = (variables) =>
  new Promise((resolve) => {
    const vitest = [join(root, "node_modules/vitest/vitest.mjs"), "run", "--project", "containers"]
    const workers = ["--maxWorkers=2"]
    const tests = spawn(process.execPath, [...vitest, ...workers, ...process.argv.slice(2)], {
      cwd: root,
      stdio: "inherit",
      env: { ...env, ...variables }
    }).once("exit", (code) => resolve(code ?? 1))
    process.on("SIGTERM", () => tests.kill("SIGTERM"))
  })

const interfaces = () => readdirSync("/sys/class/net")

/** Containers first, or their mounts would outlive the engine. */
const stopEngine = async (engine) => {
  if (engine === undefined || engine.exitCode !== null) return
  spawnSync("docker", ["swarm", "leave", "--force"], { env: docker })
  spawnSync("sh", ["-c", "docker rm --force $(docker ps --all --quiet)"], { env: docker })
  spawnSync("docker", ["network", "prune", "--force"], { env: docker })
  const ended = new Promise((resolve) => engine.once("exit", resolve))
  engine.kill("SIGTERM")
  const hurry = setTimeout(() => engine.kill("SIGKILL"), 60_000)
  await ended
  clearTimeout(hurry)
  // It leaves a network namespace mounted.
  const mounts = readFileSync("/proc/mounts", "utf8").split("\n").map((line) => line.split(" ")[1] ?? "")
  for (const mount of mounts.toReversed()) {
    if (mount.startsWith(`${folder}/`)) spawnSync("umount", ["--lazy", mount])
  }
  // And its bridges.
  for (const name of interfaces()) {
    if (!interfacesBefore.includes(name) && /^(docker|br-|veth)/.test(name)) {
      spawnSync("ip", ["link", "delete", name])
    }
  }
}

// The programs that run hear of Ctrl-C themselves; here it only must not skip what cleans up.
process.on("SIGINT", () => {})

/** Variables of the tests: where the engine is, with its image built, or why there is none. */
const prepare = async () => {
  try {
    install()
    const compose = findCompose()
    interfacesBefore = interfaces()
    const tls = `tcp://127.0.0.1:${await freePort()}`
    engine = await startEngine(tls)
    await importBase()
    return {
      DOCKER_HOST: docker.DOCKER_HOST,
      AI_RELAY_ENGINE_TLS: tls,
      AI_RELAY_ENGINE_CERTS: certificates,
      ...(compose !== undefined && { AI_RELAY_COMPOSE: compose })
    }
  } catch (error) {
    if (!(error instanceof Impossible)) throw error
    say(`skipped what needs an engine: ${error.message}`)
    return { AI_RELAY_SKIP_CONTAINERS: error.message }
  }
}

let engine
let interfacesBefore = []
const began = Date.now()
try {
  const variables = await prepare()
  const built = await Promise.all([
    env.AI_RELAY_BUILT || runs(process.execPath, "scripts/build.mjs", "cli"),
    engine === undefined || buildImage()
  ])
  if (built.includes(false)) throw new Error("the program or its image cannot be built")
  say(`the engine and the image took ${Math.round((Date.now() - began) / 1000)} s`)
  process.exitCode = await runTests(variables)
} catch (error) {
  console.error(error)
  process.exitCode = 1
} finally {
  await stopEngine(engine)
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
}
