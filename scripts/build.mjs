/**
 * build: fills dist/, which is what gets published.
 *
 * The library is what tsc makes of the package's entries (tsconfig.build.json): plain modules and their types, Effect
 * stays a peer. The command line is one minified file with Effect inside, so that it installs almost nothing and starts
 * fast. `node scripts/build.mjs cli` makes only dist/cli.mjs.
 */
import { build } from "esbuild"
import { spawn } from "node:child_process"
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { bundleReaper } from "./bundleReaper.mjs"

const root = fileURLToPath(new URL("..", import.meta.url))
const cli = join(root, "dist/cli.mjs")
const read = (...path) => readFileSync(join(root, ...path), "utf8")
const { version } = JSON.parse(read("package.json"))
const libraryEntries = JSON.parse(read("tsconfig.build.json")).files

// `ws` calls `require`, which modules do not have. The unlikely name cannot meet one that the minifier invents.
const banner = `#!/usr/bin/env node
import { createRequire as __aiRelayCreateRequire } from "node:module"
const require = __aiRelayCreateRequire(import.meta.url)`

const reaper = JSON.stringify(bundleReaper())

const compile = () =>
  new Promise((resolve, reject) => {
    const tsc = join(root, "node_modules/typescript/bin/tsc")
    spawn(process.execPath, [tsc, "-p", "tsconfig.build.json"], { cwd: root, stdio: "inherit" })
      .once("error", reject)
      .once("exit", (code) => code === 0 ? resolve() : reject(new Error("tsc reports the errors above")))
  })

const buildLibrary = async () => {
  await compile()
  writeFileSync(join(root, "dist/services/reaperSource.js"), `export const reaperSource = ${reaper}\n`)
}

const buildCli = async () => {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: ["src/cli/main.ts"],
    outfile: cli,
    bundle: true,
    minify: true,
    platform: "node",
    format: "esm",
    target: "node20",
    // node-pty is native and loaded only when a terminal is asked for; ws uses the other two when they are installed.
    external: ["node-pty", "bufferutil", "utf-8-validate"],
    banner: { js: banner },
    define: { __AI_RELAY_VERSION__: JSON.stringify(version), __AI_RELAY_REAPER__: reaper },
    legalComments: "none",
    metafile: true,
    logLevel: "warning"
  })
  chmodSync(cli, 0o755)
  writeFileSync(join(root, "dist/cli.LICENSES.txt"), licensesOf(Object.keys(metafile.inputs)))
}

/** The licenses of the packages that went into the bundle: who passes these on passes on their terms. */
const licensesOf = (inputs) => {
  const folders = new Set(
    inputs.flatMap((path) => path.match(/^.*node_modules\/(@[^/]+\/)?[^/]+/)?.[0] ?? [])
  )
  return [...folders].toSorted().flatMap((folder) => {
    const { name, version } = JSON.parse(read(folder, "package.json"))
    const license = readdirSync(join(root, folder)).find((name) => /^licen[cs]e/i.test(name))
    return license === undefined ? [] : [`${name} ${version}\n\n${read(folder, license)}`]
  }).join(`\n${"-".repeat(80)}\n\n`)
}

const onlyCli = process.argv[2] === "cli"
const entries = ["src/cli/main.ts", ...(onlyCli ? [] : libraryEntries)]
const started = performance.now()
try {
  const missing = entries.filter((entry) => !existsSync(join(root, entry)))
  if (missing.length > 0) throw new Error(`${missing.join(" and ")} missing`)
  if (!onlyCli) rmSync(join(root, "dist"), { recursive: true, force: true })
  await Promise.all(onlyCli ? [buildCli()] : [buildCli(), buildLibrary()])
  const size = Math.round(statSync(cli).size / 1024)
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  console.log(`built ${onlyCli ? "" : "dist/ and "}dist/cli.mjs (${size} KB) in ${seconds} s`)
} catch (error) {
  console.error(`build failed: ${error.message.split("\n", 1)}`)
  process.exitCode = 1
}
