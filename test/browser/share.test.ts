/** A link to a session: made in the console, opened by somebody who may only watch, who is offered nothing else. */
import { describe, expect, it } from "vitest"
import { connect } from "../support/client.js"
import { whyNoBrowser } from "../support/page.js"
import { areThere, violations } from "./actions.js"
import { look, setStage } from "./stage.js"

const missing = whyNoBrowser()
if (missing !== undefined) console.log(`skipping shared sessions in the console: ${missing}`)

describe.skipIf(missing !== undefined)("a shared session", () => {
  const stage = setStage()

  it("is watched live by whoever has the link, with nothing to press that they may not", async () => {
    const client = await connect(stage.url().replace("http:", "ws:"), {
      tool: "demo",
      folder: stage.home,
      session_id: "shared"
    })
    await client.waitFor("session_start")
    const owner = await stage.open()
    await owner.goto(`${stage.url()}/#/s/shared`)
    await owner.getByRole("button", { name: "Share" }).click()
    expect(await violations(owner)).toEqual([])
    await owner.getByRole("button", { name: "Create link" }).click()
    const link = await owner.getByLabel("Link", { exact: true }).inputValue()
    expect(link).toMatch(/\/#\/s\/shared\?token=airelay_/)
    await owner.getByRole("button", { name: "Done" }).click()

    const viewer = await stage.open()
    const sent: Array<string> = []
    viewer.on("request", (request) => sent.push(request.headers()["authorization"] ?? ""))
    await viewer.goto(link)
    // Nobody's page makes this one use a token: the person decides.
    await viewer.getByText("Use the access token of this link?").waitFor()
    expect(viewer.url()).not.toContain("token")
    expect(sent.filter((header) => header !== "")).toEqual([])
    expect(await violations(viewer)).toEqual([])
    await viewer.getByRole("button", { name: "Use it" }).click()
    await viewer.getByText("You are watching this session.").waitFor()
    // The token is out of the address at once.
    expect(viewer.url()).not.toContain("token")
    await areThere(viewer.locator("main"), 1)
    client.send({ text: "What the viewer sees" })
    await viewer.getByText("What the viewer sees").first().waitFor()
    await client.waitFor("permission_request")
    await viewer.getByText("Someone else answers this.").waitFor()
    for (
      const name of ["Allow", "Deny", "Share", "End session", "New session", "Send", "Stop", "Answer", "Skip"]
    ) {
      expect(await viewer.getByRole("button", { name, exact: true }).count()).toBe(0)
    }
    expect(await viewer.locator("main input:enabled, main textarea:enabled").count()).toBe(0)
    expect(await violations(viewer)).toEqual([])
    // Nothing is asked any more.
    client.send({ type: "interrupt" })
    await viewer.getByText("Someone else answers this.").waitFor({ state: "detached" })
    await client.close()

    // The link is taken back: whoever came by it is sent away.
    await owner.getByRole("button", { name: "Share" }).click()
    const links = owner.getByRole("region", { name: "Links to this session" })
    await links.getByText(/^Watch/).waitFor()
    await links.getByText(/by this machine · until /).waitFor()
    expect(await violations(owner)).toEqual([])
    await look(owner, "share-links")
    await links.getByRole("button", { name: "Revoke" }).click()
    await links.waitFor({ state: "detached" })
    await viewer.getByRole("heading", { name: "Access token" }).waitFor()
    const late = await stage.open()
    await late.goto(link)
    await late.getByRole("button", { name: "Use it" }).click()
    await late.getByRole("heading", { name: "Access token" }).waitFor()
  })
})
