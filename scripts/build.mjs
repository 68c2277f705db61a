/**
 * build: fills dist/, which is what gets published.
 *
 * The library is what tsc makes of the package's entries (tsconfig.build.json): plain modules and their types, Effect
 * stays a peer. The command line is minified with Effect inside, so that it installs almost nothing and starts fast: what
 * every start needs is in one file (`mergeStart.mjs`); what is imported when it is needed (`import()`) has files of its own.
 * They are CommonJS, because only of scripts can be kept what V8 compiles while they run (`cli/codeCache.ts`).
 * The console is a page with React and all else inside.
 * What pages of others draw a chat with is in `react/`, with React left out.
 * `node scripts/build.mjs cli console` makes only those parts.
 */
import { build } from "esbuild"
import { spawn } from "node:child_process"
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { basename, join } from "node:path"
import { fileURLToPath } from "node:url"
import { embeddedSources } from "./embeddedSources.mjs"
import { licensesOf, sbomOf } from "./licenses.mjs"
import { mergeStart } from "./mergeStart.mjs"

const root = fileURLToPath(new URL("..", import.meta.url))
const dist = join(root, "dist")
const cli = join(dist, "cli.mjs")
/** What went into each part. */
const made = {}
const note = (part, inputs) => {
  made[part] = inputs
  writeFileSync(join(dist, `${part}.LICENSES.txt`), licensesOf(inputs))
}
const read = (...path) => readFileSync(join(root, ...path), "utf8")
const { version } = JSON.parse(read("package.json"))

const embedded = embeddedSources()

const compile = () =>
  new Promise((resolve, reject) => {
    const tsc = join(root, "node_modules/typescript/bin/tsc")
    spawn(process.execPath, [tsc, "-p", "tsconfig.build.json"], { cwd: root, stdio: "inherit" })
      .once("error", reject)
      .once("exit", (code) => code === 0 ? resolve() : reject(new Error("tsc reports the errors above")))
  })

const buildLibrary = async () => {
  await compile()
  const write = (path, name, source) => writeFileSync(join(dist, path), `export const ${name} = ${source}\n`)
  write("services/process/reaperSource.js", "reaperSource", embedded.__AI_RELAY_REAPER__)
  write("services/journal/folderThreadSource.js", "folderThreadSource", embedded.__AI_RELAY_FOLDER_THREAD__)
}

/** Packages that have a file of their own, because few need them. */
const lazy = ["dockerode", "jose"]

const besideTheCli = {
  name: "beside-the-cli",
  setup({ onResolve }) {
    onResolve(
      { filter: new RegExp(`^(${lazy.join("|")})$`) },
      ({ kind, path }) => kind === "entry-point" ? undefined : { path: `./${path}.cjs`, external: true }
    )
  }
}

// What the client of the Docker Engine uses to build images; the lab builds none.
const withoutBuildKit = {
  name: "without-build-kit",
  setup({ onLoad }) {
    onLoad({ filter: /dockerode\/lib\/session\.js$/ }, () => ({ contents: "module.exports = undefined" }))
  }
}

// Reached by what is used, never called: questions at a terminal (`--wizard`), completions for shells, and readers of
// configuration files in other formats than JSON.
const withoutUnused = {
  name: "without-unused",
  setup({ onLoad }) {
    const filter =
      /[\\/]effect[\\/]dist[\\/](cli[\\/](Prompt|Completions|internal[\\/]wizard)|encoding[\\/](Yaml|Toml))\.js$/
    onLoad({ filter }, () => ({ contents: "module.exports = {}" }))
  }
}

const bundle = (options) =>
  build({
    absWorkingDir: root,
    bundle: true,
    minify: true,
    platform: "node",
    format: "esm",
    target: "node20",
    legalComments: "none",
    metafile: true,
    logLevel: "warning",
    ...options
  })

const buildLazy = () =>
  bundle({
    entryPoints: lazy,
    outdir: dist,
    outExtension: { ".js": ".cjs" },
    format: "cjs",
    // ssh2 uses them when they are installed.
    external: ["cpu-features", "./crypto/build/Release/sshcrypto.node"],
    plugins: [withoutBuildKit]
  })

let startBytes = 0

/** What the command line is made of besides `cli.mjs` and the packages with files of their own. */
const isPart = (name) => /^cli[-.].*\.cjs$/.test(name)

/** The command itself: a module by its name, which scripts and service files have written down. */
const command = `#!/usr/bin/env node
import { createRequire } from "node:module"
createRequire(import.meta.url)("./cli.cjs")
`

const buildCli = async () => {
  const old = existsSync(dist) ? readdirSync(dist).filter(isPart) : []
  const [{ metafile, outputFiles }, { metafile: lazily }] = await Promise.all([bundleCli(), buildLazy()])
  const { outputs } = metafile
  const main = Object.keys(outputs).find((file) => outputs[file].entryPoint === "src/cli/main.ts")
  const merged = await mergeStart({
    entry: basename(cli),
    main: basename(main),
    texts: Object.fromEntries(outputFiles.map(({ path, text }) => [basename(path), text]))
  })
  startBytes = merged.startBytes
  for (const [name, text] of Object.entries(merged.files)) writeFileSync(join(dist, name), text)
  writeFileSync(cli, command)
  chmodSync(cli, 0o755)
  const inputs = [...Object.keys(metafile.inputs), ...Object.keys(lazily.inputs)]
  note("cli", inputs)
  for (const name of old) {
    // Another build may have removed it already: tests that need the program run side by side.
    if (merged.files[name] === undefined) rmSync(join(dist, name), { force: true })
  }
}

const bundleCli = () =>
  bundle({
    entryPoints: { cli: "src/cli/start.ts" },
    outdir: dist,
    outExtension: { ".js": ".mjs" },
    splitting: true,
    write: false,
    chunkNames: "cli-[name]-[hash]",
    // node-pty is native and loaded only when a terminal is asked for; ws uses the other two when they are installed.
    external: ["node-pty", "bufferutil", "utf-8-validate"],
    define: { __AI_RELAY_VERSION__: JSON.stringify(version), ...embedded },
    plugins: [besideTheCli, withoutUnused]
  })

const buildPage = async () => {
  // Vite is slow to load, and who builds only the command needs none of it.
  const { buildConsole } = await import("./build-console.mjs")
  note("console", await buildConsole())
}

const buildForReact = async () => {
  const { buildReact } = await import("./build-react.mjs")
  note("react", await buildReact())
}

const parts = { library: buildLibrary, cli: buildCli, console: buildPage, react: buildForReact }
const wanted = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(parts)
const started = performance.now()
/** Nothing in `dist` is of another build. */
const isAll = process.argv.length === 2 || !existsSync(dist)
try {
  const unknown = wanted.filter((part) => !Object.hasOwn(parts, part))
  if (unknown.length > 0) {
    throw new Error(`there is no ${unknown.join(", ")}; parts are ${Object.keys(parts).join(", ")}`)
  }
  if (process.argv.length === 2) rmSync(join(root, "dist"), { recursive: true, force: true })
  await Promise.all(wanted.map((part) => parts[part]()))
  // A part alone does not know what the others are made of.
  if (isAll) {
    writeFileSync(
      join(dist, "sbom.cdx.json"),
      JSON.stringify(sbomOf(Object.values(made).flat()), null, 2) + "\n"
    )
  }
  const size = wanted.includes("cli") ? `, every start reads ${Math.round(startBytes / 1024)} KB` : ""
  console.log(`built ${wanted.join(", ")} in ${((performance.now() - started) / 1000).toFixed(1)} s${size}`)
} catch (error) {
  console.error(`build failed: ${error.message.split("\n", 1)}`)
  process.exitCode = 1
}
