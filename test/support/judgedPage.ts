/** judgedPage: a page made of a judge's packages, served from an origin of its own beside a relay that allows it. */
import { build, type BuildOptions } from "esbuild"
import { mkdtempSync, realpathSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type Daemon, startDaemon } from "./daemon.js"
import { type Site, startSite } from "./site.js"

interface JudgedPage {
  readonly daemon: Daemon
  readonly site: Site
  /** The relay's address over HTTP, for a page's query. */
  readonly relay: string
  /** Ends relay and site, and removes their files. */
  readonly end: () => Promise<void>
}

/**
 * Bundles `entry` with what is in the judge's `packages` and serves it as `NAME/index.html` and `NAME/main.js`. The relay's
 * only folder, and its home, are new.
 */
export const startJudgedPage = async (
  { entry, html, name, options = {}, packages }: {
    readonly name: string
    readonly entry: string
    readonly html: string
    readonly packages: string
    readonly options?: BuildOptions
  }
): Promise<JudgedPage> => {
  const home = realpathSync(mkdtempSync(join(tmpdir(), `ai-relay-${name}-page-`)))
  const site = await startSite()
  const daemon = await startDaemon({
    env: { PATH: process.env["PATH"] ?? "", HOME: home },
    cwd: home,
    args: ["--root", home, "--state-dir", join(home, "state"), "--allow-origin", site.origin]
  })
  const { outputFiles = [] } = await build({
    entryPoints: [entry],
    bundle: true,
    format: "esm",
    jsx: "automatic",
    define: { "process.env.NODE_ENV": "\"production\"" },
    // One React for all, that of the judges.
    alias: { "react": join(packages, "react"), "react-dom": join(packages, "react-dom") },
    nodePaths: [packages],
    ...options,
    write: false
  })
  site.put(`/${name}/index.html`, html)
  site.put(`/${name}/main.js`, outputFiles[0]?.text ?? "")
  return {
    daemon,
    site,
    relay: daemon.url.replace("ws:", "http:").replace(/\/$/, ""),
    end: async () => {
      await daemon.stop()
      await site.end()
      rmSync(home, { recursive: true, force: true })
    }
  }
}
