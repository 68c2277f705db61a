/** `ai-relay lab` with everybody's sessions in one process. Needs no engine. */
import { existsSync, readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { connect } from "../support/client.js"
import { atHome } from "../support/processes.js"
import { type Lab, makePlace, openShell, type Place, untilTrue, within } from "./lab.js"

const crowd = Array.from({ length: 100 }, (_, index) => `user-${index}`)

describe("a lab in one process", () => {
  let place: Place
  let lab: Lab

  beforeAll(async () => {
    place = makePlace()
    lab = await place.start({ LAB_MODE: "single", LAB_IDLE_TIMEOUT_SECS: "8" })
  })
  afterAll(async () => {
    await lab.kill()
    place.remove()
  })

  const folderOf = (user: string) => join(place.env.LAB_WORKSPACE_ROOT, user)

  it("gives each of two users sessions and a folder of their own", async () => {
    const [ada, bob] = await Promise.all([
      openShell(lab.url, place.token("ada")),
      openShell(lab.url, place.token("bob"))
    ])
    expect(await ada.run("pwd")).toContain(folderOf("ada"))
    expect(await bob.run("pwd")).toContain(folderOf("bob"))
    expect(statSync(folderOf("ada")).mode & 0o777).toBe(0o700)
    await Promise.all([ada.close(), bob.close()])

    const outside = await connect(lab.url, {
      token: place.token("ada"),
      tool: "generic",
      command: ["bash"],
      folder: folderOf("bob")
    })
    expect(await outside.waitFor("error", { within })).toMatchObject({ code: "forbidden_folder" })
  })

  it("keeps a session over the end of its relay, and of the lab", async () => {
    const token = place.token("eve")
    const shell = await openShell(lab.url, token, { session_id: "kept", linger: 0 })
    await shell.run("echo one")
    const seen = shell.events.at(-1)?.seq ?? 0
    await shell.close()
    await untilTrue(async () => lab.output().includes("nobody has needed the relay of eve"))
    const again = await connect(lab.url, {
      token,
      tool: "generic",
      command: ["bash"],
      session_id: "kept",
      after_seq: 0
    })
    await again.waitFor(({ seq }) => seq === seen, { within })
    await again.close()
  })

  it("serves 100 users at once", async () => {
    // All known before the first comes.
    const tokens = crowd.map((user) => place.token(user))
    const shells = await Promise.all(
      tokens.map((token) => openShell(lab.url, token, { command: ["cat"], pty: { raw: false } }))
    )
    const echoed = await Promise.all(shells.map(async (shell, index) => {
      shell.send({ type: "stdin", data: `word-${index}\n` })
      return shell.waitFor(({ text, type }) => type === "stdout" && text?.includes(`word-${index}`), {
        within
      })
    }))
    expect(echoed).toHaveLength(100)
    expect(crowd.every((user) => existsSync(folderOf(user)))).toBe(true)
    const status = readFileSync(`/proc/${lab.pid}/status`, "utf8")
    process.stdout.write(`100 users in one process: ${/VmRSS:\s+(.*)/.exec(status)?.[1]}\n`)
    for (const shell of shells) shell.send({ type: "end" })
    await Promise.all(shells.map(({ closed }) => closed))
    await untilTrue(async () => atHome(place.folder).length === 1)
  })
})
