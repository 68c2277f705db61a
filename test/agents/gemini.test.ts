/** The real Gemini CLI behind the real relay: what every agent does, and where Gemini is a trap. */
import { spawn } from "node:child_process"
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { agentEnv, whyNotInstalled } from "../support/agents.js"
import { type Client, connect, type Event } from "../support/client.js"
import { startDaemon } from "../support/daemon.js"
import { fail, reply } from "../support/modelApi/script.js"
import { settleHome } from "../support/realTerminal.js"
import { answer, ask, describeScenarios, only, setStage, textOf } from "./scenarios.js"

const handshake = { tool: "gemini" }
describeScenarios("gemini", handshake, { stopsWithinMs: 500, tellsUsage: false })

const png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

describe.skipIf(whyNotInstalled("gemini") !== undefined)("real Gemini CLI", () => {
  const stage = setStage("gemini", handshake)

  /** A relay in another environment, and what it answers to a handshake. */
  const refused = async (env: Readonly<Record<string, string>>, home: string) => {
    const daemon = await startDaemon({ env, cwd: home, args: ["--root", home] })
    const client = await connect(daemon.url, { ...handshake, folder: home })
    const asked = performance.now()
    const error = await client.waitFor("error", { after: -1 })
    const took = performance.now() - asked
    await client.closed
    expect(await daemon.stop()).toBe(0)
    return { error, took }
  }
  const withHome = async (
    settings: object | undefined,
    test: (home: string, env: object) => Promise<void>
  ) => {
    const home = mkdtempSync(join(tmpdir(), "ai-relay-gemini-"))
    const { GEMINI_API_KEY: _key, GOOGLE_GEMINI_BASE_URL: _url, ...env } = agentEnv("gemini", {
      home,
      api: stage.api()
    })
    if (settings !== undefined) {
      writeFileSync(join(home, ".gemini", "settings.json"), JSON.stringify(settings))
    }
    await test(home, env)
    rmSync(home, { recursive: true, force: true })
  }

  it("keeps one process: a later turn takes a tenth of the first", async () => {
    const opened = performance.now()
    const client = await stage.open()
    const opening = performance.now() - opened
    const timed = async (text: string) => {
      const asked = performance.now()
      await client.turn(text)
      return performance.now() - asked
    }
    await timed("first")
    const [later] = [await timed("second"), await timed("third"), await timed("fourth")].toSorted((a, b) =>
      a - b
    )
    console.log(`open ${opening.toFixed(0)} ms, later turns ${later?.toFixed(0)} ms`)
    expect(later).toBeLessThan(opening / 10)
  })

  it("calls its tools by name, and shows what a person is asked to allow", async () => {
    const path = join(stage.home, "asked.txt")
    stage.api().on(/CHANGE/, [
      reply({ tool: { kind: "write", path, content: "new\n" } }),
      reply({ text: "Done." })
    ])
    const client = await stage.open()
    const asked = await ask(client, "CHANGE it")
    expect(asked).toMatchObject({ tool: "write_file", args: { file_path: path } })
    expect(asked.args.diff).toContain("+new\n")
    expect(asked.metadata.options.map(({ kind }: { kind: string }) => kind)).toEqual([
      "allow_always",
      "allow_once",
      "reject_once"
    ])
    answer(client, asked.request_id, { option_id: "proceed_once" })
    await client.waitFor("turn_end")
    expect(only(client.events, "file_diff")).toHaveLength(1)
  })

  it("changes model and mode, and refuses what it does not have", async () => {
    const client = await stage.open({ permission_mode: "plan", model: "gemini-2.5-pro" })
    await client.turn("on the first model")
    expect(stage.api().requests.findLast(({ prompt }) => prompt !== undefined)?.model).toBe("gemini-2.5-pro")
    client.send({ type: "set_model", model: "gemini-3.8-flash", message_id: "m1" })
    await client.waitFor((event) => event.type === "input_ack" && event.message_id === "m1")
    await client.turn("on the second model")
    expect(stage.api().requests.findLast(({ prompt }) => prompt !== undefined)?.model).toBe(
      "gemini-3.8-flash"
    )
    client.send({ type: "set_permission_mode", mode: "default", message_id: "m2" })
    await client.waitFor((event) => event.metadata?.permission_mode === "default")
    // This folder is not trusted.
    client.send({ type: "set_permission_mode", mode: "bypassPermissions", message_id: "m3" })
    const untrusted = await client.waitFor((event) => event.type === "error" && event.message_id === "m3")
    expect(untrusted.text).toContain("untrusted folder")
    client.send({ type: "set_permission_mode", mode: "nonsense", message_id: "m4" })
    await client.waitFor((event) => event.type === "error" && event.message_id === "m4")
    expect(textOf(client.events, "assistant_message")).not.toContain("MODE_UPDATE")
  })

  it("accepts edits by itself in a trusted folder that is opened in Claude's mode for it", async () => {
    const path = join(stage.home, "edited.txt")
    writeFileSync(path, "one\ntwo\nthree\n")
    stage.api().on(/CHANGE/, [
      reply({ tool: { kind: "edit", path, old: "two", new: "2" } }),
      reply({ text: "Changed." })
    ])
    const client = await stage.open({
      permission_mode: "acceptEdits",
      env: { GEMINI_CLI_TRUST_WORKSPACE: "true" }
    })
      .catch(() => undefined)
    // Clients may not set Gemini's own variables; the operator may.
    expect(client).toBeUndefined()
    const trusting = await stage.open({ permission_mode: "acceptEdits", extra_args: ["--skip-trust"] })
    await trusting.turn("CHANGE it")
    expect(only(trusting.events, "permission_request")).toEqual([])
    expect(only(trusting.events, "file_diff")).toMatchObject([{
      file_path: path,
      diff: `--- ${path}\n+++ ${path}\n@@ -1,3 +1,3 @@\n one\n-two\n+2\n three\n`
    }])
  })

  it("opens a conversation again in the minute it was begun, as often as wanted, with its history", async () => {
    stage.api().on(/NOTE/, [reply({ thinking: "Hm.", text: "I note it." })])
    const first = await stage.open()
    await first.turn("NOTE the word walrus")
    const { native_session_id } = first.events[0]?.metadata ?? {}
    await first.close()
    for (const prompt of ["once more", "and again"]) {
      const client = await stage.open({ native_session_id })
      const history = client.events.filter(({ metadata }) => metadata?.replay === true)
      expect(only(history, "user_message").map(({ text }) => text)).toContain("NOTE the word walrus")
      expect(textOf(history, "assistant_message")).toContain("I note it.")
      expect(textOf(history, "user_message")).not.toContain("session_context")
      const turn = await client.turn(prompt)
      expect(turn.filter(({ metadata }) => metadata?.replay === true)).toEqual([])
      expect(only(turn, "response").map(({ text }) => text)).toEqual(["Hello from the scripted model."])
      const request = stage.api().requests.findLast(({ prompt: asked }) => asked?.includes(prompt))
      expect(JSON.stringify(request?.body)).toContain("walrus")
      await client.close()
    }
  })

  it("says that a conversation is not there", async () => {
    const client = await connect(stage.daemon().url, {
      ...handshake,
      folder: stage.home,
      native_session_id: "00000000-0000-4000-8000-000000000000"
    })
    const error = await client.waitFor("error", { after: -1 })
    expect(error).toMatchObject({ code: "bad_handshake", metadata: { fatal: true } })
    expect(error.text).toContain("leave out `native_session_id` to begin a new one")
    expect(await client.closed).toBe(1008)
  })

  it("tells a used up quota and a prompt that is too long, and goes on", async () => {
    stage.api().on(/QUOTA/, [fail("usage_limit")])
    stage.api().on(/LONG/, [fail("prompt_too_long")])
    const client = await stage.open()
    const quota = await client.turn("QUOTA")
    expect(only(quota, "quota_warning")).toMatchObject([{
      text: "You have exhausted your daily quota on this model."
    }])
    const long = await client.turn("LONG")
    expect(only(long, "context_warning")).toMatchObject([{ context_pct: 100 }])
    expect((await client.turn("fine?")).at(-1)).toMatchObject({ stop_reason: "end_turn" })
  })

  it("sees images, and runs its slash commands", async () => {
    const client = await stage.open()
    const source = { type: "base64", media_type: "image/png", data: png }
    client.send({ text: "LOOK at this", images: [{ type: "image", source }] })
    await client.waitFor("turn_end")
    const request = stage.api().requests.findLast(({ prompt }) => prompt?.includes("LOOK"))
    expect(JSON.stringify(request?.body)).toContain(png)
    const commands = client.events.find(({ status }) => status === "commands")?.metadata.commands
    expect(commands.map(({ name }: { name: string }) => name)).toContain("about")
    const about = await client.turn("/about")
    expect(textOf(about, "response")).toContain("0.61.0")
    expect(about.at(-1)).toMatchObject({ usage: { input_tokens: 0 } })
  })

  it("passes requests through and tells their answers", async () => {
    const client = await stage.open()
    client.send({ type: "raw_request", request_id: "r1", method: "session/list" })
    expect(await client.waitFor("control_response")).toMatchObject({ request_id: "r1", status: "error" })
    client.send({ type: "raw_request", method: "session/prompt", message_id: "r2" })
    expect(await client.waitFor("error")).toMatchObject({ code: "bad_command", message_id: "r2" })
  })

  it("says how to install it when it is missing", () =>
    withHome(undefined, async (home, env) => {
      const { error } = await refused({ ...env, PATH: "/usr/bin:/bin" }, home)
      expect(error).toMatchObject({ code: "command_not_found" })
      expect(error.text).toContain("npm install -g @google/gemini-cli")
    }))

  it("says how to log in when no key is there", () =>
    withHome(undefined, async (home, env) => {
      const { error } = await refused({ ...env }, home)
      expect(error).toMatchObject({ code: "auth_required" })
      expect(error.text).toContain("GEMINI_API_KEY")
    }))

  it("notices that it waits for a login in a terminal, instead of waiting with it", () =>
    withHome({ security: { auth: { selectedType: "oauth-personal" } } }, async (home, env) => {
      const { error, took } = await refused({ ...env }, home)
      expect(error).toMatchObject({ code: "auth_required" })
      expect(error.text).toContain("run `gemini` once and log in")
      console.log(`login wanted after ${took.toFixed(0)} ms`)
      expect(took).toBeLessThan(14_000)
    }))
})

/**
 * Gemini deletes a conversation that was resumed by its plain name at its next start in the folder, with the settings
 * everybody has (google-gemini/gemini-cli#27368). Nothing the relay does, or tells people to do, may lead to that.
 */
describe.skipIf(whyNotInstalled("gemini") !== undefined)("a conversation of Gemini CLI is not lost", () => {
  const stage = setStage("gemini", handshake)

  const scene = () => {
    const home = realpathSync(mkdtempSync(join(tmpdir(), "ai-relay-gemini-kept-")))
    const folder = join(home, "shop")
    mkdirSync(folder)
    const env = agentEnv("gemini", { home, api: stage.api() })
    settleHome("gemini", home, folder)
    const chats = join(home, ".gemini/tmp/shop/chats")
    /** In a terminal, for one prompt. */
    const run = (...args: ReadonlyArray<string>) =>
      new Promise<void>((resolve, reject) => {
        const child = spawn("gemini", args, { cwd: folder, env, stdio: ["ignore", "ignore", "pipe"] })
        let said = ""
        child.stderr.on("data", (data) => (said += data))
        child.on("error", reject)
        child.on("close", (code) =>
          code === 0
            ? resolve()
            : reject(new Error(`gemini ${args.join(" ")}: ${code} ${said.slice(-1000)}`)))
      })
    return {
      home,
      folder,
      env,
      run,
      /** The files of this conversation that have this in them. */
      holding: (word: string) =>
        readdirSync(chats).filter((name) => readFileSync(join(chats, name), "utf8").includes(word)),
      /** In the minute it began in a resumed conversation needs no second file: this one began yesterday. */
      age: (word: string) => {
        for (const name of readdirSync(chats)) {
          if (!readFileSync(join(chats, name), "utf8").includes(word)) continue
          const yesterday = new Date(Date.now() - 86_400_000).toISOString().slice(0, 16).replace(":", "-")
          renameSync(join(chats, name), join(chats, `session-${yesterday}-${name.slice(-14)}`))
        }
      },
      /** Two starts in the folder: the first one deletes what it takes for broken. */
      startTwice: async () => {
        await run("-p", "say one")
        await run("-p", "say two")
      }
    }
  }
  /** A process of Gemini lives on for a moment after its program has ended: then as a person would, once it is told to be gone. */
  const promptOnceFree = async (client: Client, text: string): Promise<Event> => {
    for (;;) {
      const after = client.events.at(-1)?.seq ?? 0
      client.send({ text })
      const { seq, type } = await client.waitFor(
        (event) => (event.type === "turn_start" && event.text === text) || event["code"] === "in_use",
        { after }
      )
      if (type === "turn_start") return client.waitFor("turn_end", { after: seq })
      await client.waitFor(({ status }) => status === "released", { after })
    }
  }
  const seen = async (prompt: RegExp) => JSON.stringify((await stage.api().called(prompt)).body)

  it("that the relay goes on with", async () => {
    const { age, env, folder, holding, home, startTwice } = scene()
    const daemon = await startDaemon({ env, cwd: home, args: ["--root", home] })
    const first = await connect(daemon.url, { ...handshake, folder })
    await first.turn("KEEP the word walrus")
    const { native_session_id } = first.events[0]?.["metadata"] ?? {}
    await first.close()
    age("walrus")
    for (const prompt of ["once more", "and again"]) {
      const client = await connect(daemon.url, { ...handshake, folder, native_session_id })
      await client.turn(prompt)
      expect(await seen(new RegExp(prompt))).toContain("walrus")
      await client.close()
      await startTwice()
      expect(holding("walrus")).toHaveLength(1)
    }
    expect(await daemon.stop()).toBe(0)
    rmSync(home, { recursive: true })
  }, 240_000)

  it("that was given back, gone on with by the command the relay tells, and taken again", async () => {
    const { age, env, folder, holding, home, run, startTwice } = scene()
    const daemon = await startDaemon({ env, cwd: home, args: ["--root", home] })
    const client = await connect(daemon.url, { ...handshake, folder, session_id: "kept" })
    await client.turn("KEEP the word walrus")
    client.send({ type: "hand_over" })
    const given = await client.waitFor((event: Event) => event["status"] === "handed_over")
    const { continue_with, copy } = given["metadata"]
    expect(continue_with.warning).toContain("general.sessionRetention.enabled")
    expect(readFileSync(copy, "utf8")).toContain("walrus")
    age("walrus")
    const [, ...args] = continue_with.argv
    await run(...args, "-p", "said in the terminal")
    expect(await seen(/said in the terminal/)).toContain("walrus")
    await client.waitFor(({ text, type }) => type === "turn_start" && text === "said in the terminal")
    await startTwice()
    expect(holding("walrus")).toHaveLength(1)
    await promptOnceFree(client, "taken again")
    expect(await seen(/taken again/)).toContain("said in the terminal")
    await client.close()
    // Nobody follows now; the relay's own next start must not be the one that deletes.
    await run(...args, "-p", "said when nobody followed")
    const again = await connect(daemon.url, { session_id: "kept" })
    await promptOnceFree(again, "taken once more")
    expect(await seen(/taken once more/)).toContain("said when nobody followed")
    await again.close()
    await startTwice()
    expect(holding("walrus")).toHaveLength(1)
    expect(await daemon.stop()).toBe(0)
    rmSync(home, { recursive: true })
  }, 240_000)
})
