/** The image the Dockerfile makes; `npm run test:containers` has built it. */
import type Docker from "dockerode"
import { execFileSync } from "node:child_process"
import { chmodSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, describe, expect, it } from "vitest"
import { docker, image, inContainer, isReady, openShell, untilTrue, whyNoEngine } from "./lab.js"

describe.skipIf(whyNoEngine !== undefined)("the image", () => {
  const containers: Array<Docker.Container> = []

  afterEach(async () => {
    for (const container of containers.splice(0)) await container.remove({ force: true })
  })

  const healthCheck = async () => {
    const [kind, ...command] = (await docker.getImage(image).inspect()).Config.Healthcheck?.Test ?? []
    expect(kind).toBe("CMD")
    return command
  }

  it("finds itself healthy at another port, and with TLS", async () => {
    const folder = mkdtempSync(join(tmpdir(), "image-"))
    const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")]
    const kind = ["-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=relay.example.com"]
    execFileSync("openssl", ["req", ...kind, "-keyout", key, "-out", cert], { stdio: "ignore" })
    for (const path of [folder, key]) chmodSync(path, 0o755)
    const container = await docker.createContainer({
      Image: image,
      Env: ["AI_RELAY_PORT=9123", "AI_RELAY_TLS_CERT=/tls/cert.pem", "AI_RELAY_TLS_KEY=/tls/key.pem"],
      HostConfig: { Binds: [`${folder}:/tls:ro`] }
    })
    containers.push(container)
    await container.start()
    const command = await healthCheck()
    await untilTrue(async () => {
      try {
        return inContainer(container.id, ...command) === ""
      } catch {
        return false
      }
    })
    rmSync(folder, { recursive: true })
  })

  it("lists what it consists of", async () => {
    const { container } = await run()
    const list = inContainer(
      container.id,
      "cat",
      "/opt/ai-relay/lib/node_modules/ai-relay/dist/sbom.cdx.json"
    )
    expect(JSON.parse(list)).toMatchObject({ bomFormat: "CycloneDX" })
  })

  const run = async (env: ReadonlyArray<string> = []) => {
    const container = await docker.createContainer({ Image: image, Env: [...env] })
    containers.push(container)
    await container.start()
    const { NetworkSettings } = await container.inspect()
    const address = `${NetworkSettings.Networks["bridge"]?.IPAddress}:9000`
    await untilTrue(() => isReady(address))
    return { container, address }
  }

  it("serves on port 9000 as a user without rights, and finds itself healthy", async () => {
    const { address, container } = await run()
    expect(await (await fetch(`http://${address}/readyz`)).json()).toEqual({ status: "ok" })
    const { Config, Id } = await container.inspect()
    expect(Config.Cmd).toEqual(["ai-relay", "serve"])
    expect(inContainer(Id, "id", "-un").trim()).toBe("labuser")
    expect(inContainer(Id, ...await healthCheck())).toBe("")
    const { Size } = await docker.getImage(image).inspect()
    process.stdout.write(`the image has ${Math.round(Size / 1024 ** 2)} MB, its base included\n`)
  })

  it("lets others in with the token, and reaps what they leave behind", async () => {
    const { address, container } = await run(["AI_RELAY_TOKEN=let-me-in"])
    expect((await fetch(`http://${address}/sessions`)).status).toBe(401)
    const shell = await openShell(`ws://${address}`, "let-me-in")
    // A grandchild whose parent does not wait for it is left to process 1.
    await shell.run("bash -c 'sleep 0.1 & exec sleep 1' & wait")
    const zombies = () =>
      inContainer(container.id, "sh", "-c", "grep -l '^State:.Z' /proc/[0-9]*/status || true")
    await untilTrue(async () => zombies() === "")
    expect(inContainer(container.id, "cat", "/proc/1/comm").trim()).toBe("tini")
    await shell.close()
  })
})
