/** The image the Dockerfile makes; `npm run test:containers` has built it. */
import type Docker from "dockerode"
import { afterEach, describe, expect, it } from "vitest"
import { docker, image, inContainer, isReady, openShell, untilTrue, whyNoEngine } from "./lab.js"

describe.skipIf(whyNoEngine !== undefined)("the image", () => {
  const containers: Array<Docker.Container> = []

  afterEach(async () => {
    for (const container of containers.splice(0)) await container.remove({ force: true })
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
    expect(Config.Cmd).toEqual(["ai-relay", "serve", "--port", "9000"])
    expect(inContainer(Id, "id", "-un").trim()).toBe("labuser")
    const check = Config.Healthcheck?.Test ?? []
    expect(check[0]).toBe("CMD")
    expect(inContainer(Id, ...check.slice(1))).toBe("")
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
