/** site: a web server of a page's own, as a developer has one: the project's folder, and pages a test makes up. */
import { once } from "node:events"
import { readFile } from "node:fs/promises"
import { createServer } from "node:http"
import { extname, join } from "node:path"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../..", import.meta.url))
const types: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css"
}

export interface Site {
  readonly origin: string
  /** Serve this text at that path. */
  readonly put: (path: string, text: string) => void
  readonly end: () => Promise<void>
}

export const startSite = async (): Promise<Site> => {
  const made = new Map([["/favicon.ico", ""]])
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://site")
    const text = made.get(pathname)
    const content = text === undefined ? readFile(join(root, pathname)) : Promise.resolve(text)
    content.then(
      (content) => {
        response.setHeader("content-type", types[extname(pathname)] ?? "text/plain")
        response.end(content)
      },
      () => response.writeHead(404).end()
    )
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  const address = server.address()
  return {
    origin: `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`,
    put: (path, text) => void made.set(path, text),
    end: async () => {
      server.close()
      server.closeAllConnections()
      await once(server, "close")
    }
  }
}
