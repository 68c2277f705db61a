/** `ai-relay lab` with a container per user, on a real engine. */
import { execFileSync } from "node:child_process"
import { statSync } from "node:fs"
import { join } from "node:path"
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest"
import { connect } from "../support/client.js"
import {
  clear,
  containersOf,
  docker,
  image,
  inContainer,
  type Lab,
  makePlace,
  openShell,
  type Place,
  untilTrue,
  whyNoEngine,
  within
} from "./lab.js"

const network = "lab-network"

describe.skipIf(whyNoEngine !== undefined)("a lab with containers", () => {
  let place: Place
  let labs: Array<Lab>

  const start = async (settings: Readonly<Record<string, string>> = {}) => {
    const lab = await place.start({ LAB_MODE: "multi", ...settings })
    labs.push(lab)
    return lab
  }

  beforeEach(() => {
    place = makePlace()
    labs = []
  })
  afterEach(async () => {
    for (const lab of labs) await lab.kill()
    await clear(network)
    place.remove()
  })
  afterAll(() => clear(network))

  const only = async () => {
    const found = await containersOf(network)
    expect(found).toHaveLength(1)
    return docker.getContainer(found[0]?.Id ?? "")
  }

  it("keeps two users' files, sessions and networks apart", async () => {
    const lab = await start()
    const [ada, bob] = await Promise.all([
      openShell(lab.url, place.token("ada")),
      openShell(lab.url, place.token("Bob <bob@example.com>"))
    ])
    expect(await ada.run("echo mine > secret; pwd; id -un")).toMatch(/\/home\/labuser\s+labuser/)
    expect(await bob.run("cat ~/secret; ls -A ~")).not.toContain("mine")

    // Each sees the session that is called "shell", their own.
    const list = async (token: string) => {
      const answer = await fetch(`${lab.url.replace("ws", "http")}/sessions`, {
        headers: { authorization: `Bearer ${token}` }
      })
      return (await answer.json() as { sessions: Array<{ last_seq: number; clients: number }> }).sessions
    }
    expect(await list("token-of-ada")).toMatchObject([{ session_id: "shell", clients: 1 }])

    const containers = await Promise.all(
      (await containersOf(network)).map(({ Id }) => docker.getContainer(Id).inspect())
    )
    expect(containers).toHaveLength(2)
    const [adas, bobs] = ["ada", "Bob <bob@example.com>"].map((user) =>
      containers.find(({ Config }) => Config.Labels["ai-relay.lab.user"] === user)
    )
    const address = bobs?.NetworkSettings.Networks[network]?.IPAddress ?? ""
    const dial = `timeout 3 bash -c 'echo > /dev/tcp/${address}/9000' && echo reached`
    expect(await ada.run(dial)).not.toMatch(/^reached/m)
    expect(await bob.run(dial)).toMatch(/reached/)

    for (const found of [adas, bobs]) {
      expect(found?.HostConfig).toMatchObject({
        CapDrop: ["ALL"],
        SecurityOpt: ["no-new-privileges"],
        Memory: 4 * 1024 ** 3,
        NanoCpus: 2e9,
        PidsLimit: 1024,
        PortBindings: {},
        PublishAllPorts: false
      })
    }
    expect(inContainer(adas?.Id ?? "", "grep", "-E", "^(CapEff|NoNewPrivs)", "/proc/1/status"))
      .toMatch(/CapEff:\s+0+\nNoNewPrivs:\s+1/)
    const { mode } = statSync(join(place.env.LAB_WORKSPACE_ROOT, "ada"))
    expect(mode & 0o777).toBe(0o700)
    await Promise.all([ada.close(), bob.close()])
  })

  it("lets nobody in without a token, and says what to do", async () => {
    const lab = await start()
    const stranger = await connect(lab.url, { tool: "generic", token: "guess" })
    expect(await stranger.waitFor("error", { within })).toMatchObject({ code: "unauthorized" })
    expect(await stranger.closed).toBe(1008)
    expect((await fetch(`${lab.url.replace("ws", "http")}/sessions`)).status).toBe(401)
    expect(await containersOf(network)).toEqual([])
  })

  it("starts one container for a user's 50 clients that come at once, at two processes of the lab", async () => {
    const [one, two] = await Promise.all([start(), start()])
    const token = place.token("ada")
    const clients = await Promise.all(
      Array.from(
        { length: 50 },
        (_, index) =>
          connect(index % 2 === 0 ? one.url : two.url, {
            token,
            tool: "generic",
            command: ["cat"],
            session_id: "herd"
          })
      )
    )
    const starts = await Promise.all(clients.map((client) => client.waitFor("session_start", { within })))
    expect(new Set(starts.map(({ session_id }) => session_id))).toEqual(new Set(["herd"]))
    await only()
    expect(one.created() + two.created()).toBe(1)
    await Promise.all(clients.map((client) => client.close()))
  })

  it("goes on with a session when its process is killed and another takes over", async () => {
    const first = await start()
    const token = place.token("ada")
    const before = await openShell(first.url, token)
    expect(await before.run("kept=41; echo started")).toContain("started")
    const { id } = await only()
    const seen = before.events.at(-1)?.seq ?? 0
    await first.kill()
    expect(await before.closed).toBe(1006)

    const second = await start()
    const after = await openShell(second.url, token, { after_seq: seen })
    // The same shell: it has its variable still.
    expect(await after.run("echo value-$((kept + 1))")).toContain("value-42")
    expect((await only()).id).toBe(id)
    const seqs = after.events.filter(({ type }) => type !== "session_start").map(({ seq }) => seq)
    expect(seqs).toEqual(seqs.map((_, index) => seen + 1 + index))
    await after.close()
  })

  it("replaces a crashed container at the next connect, and the session is read on from disk", async () => {
    const lab = await start()
    const token = place.token("ada")
    const before = await openShell(lab.url, token)
    expect(await before.run("echo remembered > file; cat file")).toContain("remembered")
    const crashed = await only()
    await crashed.kill()
    expect(await before.closed).toBe(1012)

    const after = await openShell(lab.url, token, { session_id: "another" })
    expect(await after.run("cat file")).toContain("remembered")
    expect((await only()).id).not.toBe(crashed.id)
    expect(lab.created()).toBe(2)
    await after.close()
  })

  it("stops a container nobody needs, and none that has a client or a running turn", async () => {
    const lab = await start({ LAB_IDLE_TIMEOUT_SECS: "6" })
    const token = place.token("ada")
    const shell = await openShell(lab.url, token, { linger: 600 })
    const container = await only()
    const startedAt = Date.now()
    // It has a client for more than twice the time.
    await untilTrue(async () => Date.now() - startedAt > 14_000)
    expect((await container.inspect()).State.Running).toBe(true)
    await shell.close()
    await untilTrue(async () => (await containersOf(network)).length === 0)
    expect(lab.output()).toContain("nobody has needed the relay of ada for 6 s")
    // And it comes back, with the session's past.
    const again = await openShell(lab.url, token, { session_id: "later" })
    await again.close()
  })

  it("replaces a container that has lost its network, and asks no other machine for it", async () => {
    const lab = await start()
    const token = place.token("ada")
    await (await openShell(lab.url, token)).close()
    const lost = await only()
    await docker.getNetwork(network).disconnect({ Container: lost.id, Force: true })
    const after = await openShell(lab.url, token)
    expect(await after.run("echo here")).toContain("here")
    expect((await only()).id).not.toBe(lost.id)
    expect(lab.output()).toContain("replacing the container of ada, which is no longer on the lab's network")
    await after.close()
  })

  it("replaces a container whose relay hangs, once its health check has failed", async () => {
    const checked = "checked:image"
    execFileSync("docker", ["build", "--tag", checked, "-"], {
      env: { ...process.env, DOCKER_BUILDKIT: "0" },
      input: `FROM ${image}\nHEALTHCHECK --interval=1s --timeout=1s --retries=1 CMD ["false"]\n`,
      stdio: ["pipe", "ignore", "ignore"]
    })
    const lab = await start({ LAB_IMAGE: checked, LAB_CONTAINER_WS_TIMEOUT: "10" })
    const token = place.token("ada")
    const before = await openShell(lab.url, token)
    const hung = await only()
    await untilTrue(async () => (await hung.inspect()).State.Health?.Status === "unhealthy")
    // Unhealthy alone is no reason: it may be its disk that is full.
    await (await openShell(lab.url, token)).close()
    expect((await only()).id).toBe(hung.id)
    before.send({ type: "stdin", data: "kill -STOP $(pgrep -f 'node.*serve')\n" })
    await untilTrue(async () => /^T/m.test(inContainer(hung.id, "ps", "-C", "node", "-o", "stat=")))
    const after = await openShell(lab.url, token)
    expect((await only()).id).not.toBe(hung.id)
    await Promise.all([after.close(), before.close()])
  })

  it("refuses to trust users' containers as proxies", async () => {
    await expect(start({ LAB_TRUSTED_PROXIES: "0.0.0.0/0" })).rejects.toThrow(/LAB_TRUSTED_PROXIES includes/)
  })

  it("tells why a relay cannot be started", async () => {
    const lab = await start({ LAB_IMAGE: "no-such:image" })
    const client = await connect(lab.url, { token: place.token("ada"), tool: "generic" })
    const error = await client.waitFor("error", { within })
    expect(error.text).toContain("there is no image no-such:image")
    expect(await client.closed).toBe(1013)
  })
})
