/**
 * check-package: `npm run test:package`. Packs the package as `npm publish` would and uses it as a stranger does: the
 * command alone, without Effect; then the library with Effect beside it.
 *
 * Prints one line per check and ends with `N passed, N failed, N skipped`.
 */
import { build } from "esbuild"
import { execFile, spawn } from "node:child_process"
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { gzipSync } from "node:zlib"
import { majors, nodeOf } from "./nodeOf.mjs"

const root = fileURLToPath(new URL("..", import.meta.url))
const readJson = (...path) => JSON.parse(readFileSync(join(...path), "utf8"))
const pkg = readJson(root, "package.json")
const temp = mkdtempSync(join(tmpdir(), "ai-relay-package-"))
const project = join(temp, "project")

const count = { passed: 0, failed: 0, skipped: 0 }
const report = (result, name, detail) => {
  count[result] += 1
  console.log(`${{ passed: "✓", failed: "✗", skipped: "-" }[result]} ${name}`)
  if (detail) console.log(detail.trim().replace(/^/gm, "    "))
}

/** Runs one check; gives its result. Without what it `needs` (the result of an earlier one) it is skipped. */
const check = async (name, needs, run) => {
  if (needs === undefined) return report("skipped", name)
  try {
    const result = await run(needs)
    report("passed", name)
    return result ?? true
  } catch (error) {
    report("failed", name, `${error.message}\n${error.stdout ?? ""}`)
  }
}

const run = (cwd) => async (command, ...args) => (await promisify(execFile)(command, args, { cwd })).stdout
const atRoot = run(root)
const inProject = run(project)
const tool = (name) => join(root, "node_modules/.bin", name)
const installed = (...path) => join(project, "node_modules", ...path)
const node = (script) => inProject(process.execPath, "--input-type=module", "--eval", script)
const expect = (holds, message) => {
  if (!holds) throw new Error(message)
}

/** What somebody gets who begins an app today. */
const newest = ["effect@latest", "@effect/platform-node@latest"]

/** A relay of the packed program on this Node, and a turn of its demo agent through the packed client. */
const smoke = async (node) => {
  const program = installed(pkg.name, "dist/cli.mjs")
  const version = await inProject(node, program, "--version")
  expect(version.trim() === pkg.version, `expected ${pkg.version}, got ${version}`)
  const state = mkdtempSync(join(temp, "state-"))
  const relay = spawn(node, [program, "--host", "127.0.0.1", "--port", "0", "--state-dir", state], {
    cwd: project
  })
  let said = ""
  try {
    const port = await new Promise((resolve, reject) => {
      const listen = (chunk) => {
        said += chunk
        const found = /ws:\/\/[^:]+:(\d+)/.exec(said)
        if (found !== null) resolve(found[1])
      }
      relay.stdout.on("data", listen)
      relay.stderr.on("data", listen)
      relay.once("exit", (code) => reject(new Error(`it ended with ${code}: ${said}`)))
    })
    const turn = `
      const { connect } = await import("${pkg.name}/client")
      const session = connect({ url: "ws://127.0.0.1:${port}", tool: "demo", folder: "." })
      session.onEvent((event) => {
        if (event.type === "permission_request") session.allow(event.request_id)
      })
      const { stop_reason } = await session.ask("hello")
      console.log(stop_reason)
      session.close()
    `
    const stopped = await inProject(node, "--input-type=module", "--eval", turn)
    expect(stopped.trim() === "end_turn", `the turn ended with ${stopped}`)
  } finally {
    const gone = new Promise((resolve) => relay.once("exit", (code) => resolve(code)))
    if (relay.exitCode === null) {
      relay.kill("SIGTERM")
      const code = await gone
      expect(code === 0, `told to stop, it ended with ${code}: ${said}`)
    }
  }
}

try {
  const tarball = await check("npm pack", true, async () => {
    // `prepack` builds, unless somebody has just done so.
    const scripts = process.env.AI_RELAY_BUILT ? ["--ignore-scripts"] : []
    await atRoot("npm", "pack", ...scripts, "--loglevel=error", "--pack-destination", temp)
    return join(temp, readdirSync(temp).find((name) => name.endsWith(".tgz")))
  })

  await check("publint, strict", tarball, () => atRoot(tool("publint"), "run", tarball, "--strict"))
  await check("are the types wrong", tarball, () => atRoot(tool("attw"), tarball, "--profile", "esm-only"))

  const alone = await check("installs alone, and brings no Effect", tarball, async () => {
    mkdirSync(project)
    writeFileSync(join(project, "package.json"), "{ \"private\": true }")
    await inProject("npm", "install", "--loglevel=error", "--no-audit", "--no-fund", tarball)
    expect(!existsSync(installed("effect")), "node_modules/effect is there")
  })

  await check("holds dist and its papers, nothing else", alone, () => {
    const extra = readdirSync(installed(pkg.name))
      .filter((name) =>
        ![
          "dist",
          "contracts",
          "package.json",
          "README.md",
          "SECURITY.md",
          "LICENSE",
          "CHANGELOG.md",
          "compatibility.json"
        ]
          .includes(name)
      )
    expect(extra.length === 0, extra.join(", "))
  })

  await check("every file the command may load is there", alone, () => {
    const dist = installed(pkg.name, "dist")
    const imported = readdirSync(dist).filter((name) => /^cli.*\.[cm]js$/.test(name)).flatMap((name) =>
      readFileSync(join(dist, name), "utf8").match(/(?<=\(["'])\.\.?\/[^"']+\.cjs(?=["']\))/g) ?? []
    )
    const missing = imported.filter((path) => !existsSync(join(dist, path)))
    expect(imported.length > 20 && missing.length === 0, `missing: ${missing.join(", ")}`)
  })

  await check("passes on the terms of all it is made of, and lists it", alone, () => {
    const dist = (name) => readFileSync(installed(pkg.name, "dist", name), "utf8")
    for (const part of ["cli", "console", "react"]) {
      const terms = dist(`${part}.LICENSES.txt`)
      expect(/MIT|ISC|Apache/.test(terms), `${part}.LICENSES.txt holds no licence`)
    }
    for (const font of ["@fontsource-variable/inter", "@fontsource-variable/jetbrains-mono"]) {
      const terms = dist("console.LICENSES.txt").split(`${font} `)[1] ?? ""
      expect(/SIL OPEN FONT LICENSE/i.test(terms.slice(0, 4000)), `the licence of ${font} is missing`)
    }
    const { bomFormat, components } = JSON.parse(dist("sbom.cdx.json"))
    expect(bomFormat === "CycloneDX", "sbom.cdx.json is no CycloneDX")
    const names = components.map(({ name }) => name)
    const missing = ["effect", "react", "ws", "@fontsource-variable/inter", ...Object.keys(pkg.dependencies)]
      .filter((name) => !names.includes(name) && name !== "node-pty")
    expect(missing.length === 0, `not listed: ${missing.join(", ")}`)
  })

  const bin = installed(".bin", pkg.name)
  await check(`${pkg.name} --version`, alone, async () => {
    const version = await inProject(bin, "--version")
    expect(version.includes(pkg.version), `expected ${pkg.version}, got ${version}`)
  })
  await check(`${pkg.name} --help`, alone, async () => {
    expect((await inProject(bin, "--help")).includes(pkg.name), "the help does not say what it is about")
  })
  await check("a terminal can be opened", alone, () =>
    node(`
      const { spawn } = (await import("node-pty")).default
      const code = await new Promise((resolve) => spawn("true", [], {}).onExit(({ exitCode }) => resolve(exitCode)))
      if (code !== 0) throw new Error("exit code " + code)
    `))
  await check(`import { connect } from "${pkg.name}/client", without Effect`, alone, () =>
    node(`
      const { connect } = await import("${pkg.name}/client")
      const session = connect({ url: "ws://127.0.0.1:1", retries: 0 })
      const { code } = await session.ready.catch((error) => error)
      if (code !== "unreachable") throw new Error("expected unreachable, got " + code)
    `))
  /** A page's bundle of these lines. */
  const inPage = async (contents) => {
    const { outputFiles } = await build({
      absWorkingDir: project,
      stdin: { contents, resolveDir: project },
      bundle: true,
      minify: true,
      format: "esm",
      platform: "browser",
      write: false
    })
    return outputFiles[0]
  }
  await check(`${pkg.name}/client in a page is under 10 kB, gzipped`, alone, async () => {
    const bytes = gzipSync((await inPage(`export * from "${pkg.name}/client"`)).contents).length
    expect(bytes < 10_000, `it has ${bytes} bytes`)
    return `${bytes} bytes`
  })
  await check(`a page that asks for no files does not carry what does`, alone, async () => {
    const { contents, text } = await inPage(`export { connect } from "${pkg.name}/client"`)
    const bytes = gzipSync(contents).length
    expect(bytes < 6000, `it has ${bytes} bytes`)
    expect(!text.includes("attachments"), "it has filesOf")
    return `${bytes} bytes`
  })

  await check(`import { reduce } from "${pkg.name}/messages", without React or Effect`, alone, () =>
    node(`
      const { empty, reduce } = await import("${pkg.name}/messages")
      const { items } = reduce(empty, [
        { type: "turn_start", text: "hello", seq: 1, ts: 1, turn: 1 },
        { type: "assistant_message", content: [], text: "hi", seq: 2, ts: 2, turn: 1 }
      ])
      if (!items.some(({ kind, text }) => kind === "text" && text === "hi")) throw new Error(JSON.stringify(items))
    `))

  for (const major of majors) {
    const found = await nodeOf(major)
    const name = `runs on Node ${major}: its command, a session over a socket, and the plain client`
    if (found.problem !== undefined) {
      report("skipped", name, found.problem)
      continue
    }
    await check(name, alone, () => smoke(found.node))
  }

  const beside = await check("installs beside Effect", alone, () => {
    const versionOf = (name) => readJson(root, "node_modules", name, "package.json").version
    const peers = Object.keys(pkg.peerDependencies).map((name) => `${name}@${versionOf(name)}`)
    return inProject("npm", "install", "--loglevel=error", "--no-audit", "--no-fund", ...peers)
  })
  await check(`import { Relay } from "${pkg.name}"`, beside, () =>
    node(`
      import { Relay } from "${pkg.name}"
      if (Relay === undefined) throw new Error("Relay is undefined")
    `))
  await check(`import { RelayClient } from "${pkg.name}/client/effect"`, beside, () =>
    node(`
      import { RelayClient } from "${pkg.name}/client/effect"
      if (RelayClient.layer === undefined) throw new Error("it has no layer")
    `))
  await check(`import { replay } from "${pkg.name}/testing"`, beside, () =>
    node(`
      import { replay } from "${pkg.name}/testing"
      import { Effect } from "effect"
      const refused = await Effect.runPromise(Effect.flip(Effect.scoped(replay("no-such-file"))))
      if (!refused.message.includes("no-such-file")) throw refused
    `))
  await check(
    `import { Chat, useSession } from "${pkg.name}/react", drawn without a browser`,
    beside,
    () =>
      node(`
      import { Chat, useSession } from "${pkg.name}/react"
      import { createElement } from "react"
      import { renderToString } from "react-dom/server"
      const Page = () => createElement(Chat, { session: useSession({ url: "ws://127.0.0.1:1", enabled: false }) })
      const html = renderToString(createElement(Page))
      if (!html.includes("ai-relay")) throw new Error(html)
    `)
  )
  await check(`${pkg.name}/react/style.css reaches nothing outside of a chat`, beside, () => {
    const css = readFileSync(installed(pkg.name, "dist/react/style.css"), "utf8")
    const outside = css.replaceAll(/@keyframes[^{]*\{(?:[^{}]|\{[^{}]*\})*\}/g, "").split("@scope", 1)[0]
      .trim()
    expect(css.includes("@scope(.ai-relay)") && outside === "", `it says ${outside.slice(0, 200)}`)
  })
  await check(`import * as schema from "${pkg.name}/schema"`, beside, () =>
    node(`
      import * as schema from "${pkg.name}/schema"
      if (Object.keys(schema).length === 0) throw new Error("it exports nothing")
    `))

  await check(
    "an app with the newest Effect embeds the package: examples/embed.ts, its types and a turn",
    tarball,
    async () => {
      const app = join(temp, "app")
      mkdirSync(app)
      writeFileSync(join(app, "package.json"), "{ \"private\": true, \"type\": \"module\" }")
      const inApp = run(app)
      await inApp("npm", "install", "--loglevel=error", "--no-audit", "--no-fund", tarball, ...newest)
      copyFileSync(join(root, "examples/embed.ts"), join(app, "embed.ts"))
      const flags = "--noEmit --strict --skipLibCheck --target es2022 --module nodenext --types node"
      const types = ["--typeRoots", join(root, "node_modules/@types")]
      await inApp(tool("tsc"), ...flags.split(" "), ...types, "embed.ts")
      await build({
        absWorkingDir: app,
        entryPoints: ["embed.ts"],
        bundle: true,
        packages: "external",
        platform: "node",
        format: "esm",
        outfile: join(app, "embed.mjs"),
        logLevel: "error"
      })
      const said = await inApp(process.execPath, "embed.mjs", "demo", ".")
      expect(said.includes("end_turn") && said.length > 200, `it said ${said}`)
      // An app's own library exports what it makes of the relay, so declarations must be able to name its types.
      writeFileSync(
        join(app, "layers.ts"),
        `import { Relay, SessionRegistry } from "${pkg.name}"
        import { layerSessions, replay } from "${pkg.name}/testing"
        import { Effect } from "effect"
        export const server = Relay.layer({ port: 0, state_dir: process.env["STATE"] })
        export const sessions = [Relay.layerSessions(), layerSessions()]
        export const open = Effect.flatMap(SessionRegistry, ({ join }) => join({ tool: "demo" }))
        export const list = Effect.flatMap(SessionRegistry, ({ list }) => list)
        export const recorded = replay("file.ndjson")`
      )
      await inApp(
        tool("tsc"),
        ...`${flags} --exactOptionalPropertyTypes --declaration --outDir types`.replace("--noEmit ", "")
          .split(" "),
        ...types,
        "layers.ts"
      )
      return readJson(app, "node_modules/effect/package.json").version
    }
  )
} finally {
  rmSync(temp, { recursive: true, force: true })
  console.log(`${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`)
  if (count.failed > 0 || count.passed === 0) process.exitCode = 1
}
