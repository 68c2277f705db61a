/** Real programs on real terminals behind the real relay: bash, python3, vi. No agent and no model is needed. */
import { Schema } from "effect"
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest"
import { RelayEvent } from "../../src/schema/index.js"
import { findProgram } from "../../src/services/process/findProgram.js"
import { type Client, connect, type Event } from "../support/client.js"
import { buildDaemon, type Daemon, startDaemon } from "../support/daemon.js"
import { running, until } from "../support/processes.js"

const home = mkdtempSync(join(tmpdir(), "ai-relay-generic-"))
const folder = join(home, "work")
const env = { PATH: process.env["PATH"] ?? "", HOME: home, LANG: "C.UTF-8", COLUMNS: "42" }
const bash = ["bash", "--norc", "--noprofile"]

let daemon: Daemon
let client: Client

beforeAll(async () => {
  mkdirSync(folder)
  buildDaemon()
  daemon = await startDaemon({ env, cwd: home, args: ["--root", home, "--log-level", "warning"] })
})

afterEach(async () => {
  await client.close()
})

afterAll(async () => {
  await daemon.stop()
  rmSync(home, { recursive: true })
})

const open = async (handshake: object = {}, relay: Pick<Daemon, "url"> = daemon) => {
  client = await connect(relay.url, { tool: "generic", folder, command: bash, ...handshake })
  return client
}

/** All that was printed after an event. */
const printed = (after = 0) =>
  client.events.filter((event) => event.type === "stdout" && event.seq > after).map(({ text }) => text).join(
    ""
  )
/** Wait until the terminal shows this. */
const shows = (text: string | RegExp, after = 0) =>
  client.waitFor(() => typeof text === "string" ? printed(after).includes(text) : text.test(printed(after)))
const ended = () => client.waitFor("session_end")
const lastSeq = () => client.events.at(-1)?.seq ?? 0

/** Not every machine has every program. */
const isMissing = (program: string): boolean => {
  const missing = findProgram(program, env, home) === undefined
  if (missing) console.log(`skipping ${program}: it is not installed here`)
  return missing
}

describe.skipIf(isMissing("bash"))("bash", () => {
  it("takes prompts as lines, with an acknowledgement and no turn, and says it is a terminal", async () => {
    const { send, waitFor } = await open()
    const { metadata } = await waitFor("session_start")
    expect(metadata).toMatchObject({
      tool: "generic",
      cmd: bash,
      pty: { cols: 120, rows: 30, raw: false },
      capabilities: { terminal: true, images: false }
    })
    send({ text: "echo $((6 * 7)) $TERM [$(printenv COLUMNS)]", message_id: "m1" })
    await shows("42 xterm-256color []")
    send({ text: "stty size" })
    await shows("30 120")
    expect((await waitFor("input_ack")).message_id).toBe("m1")
    expect(client.events.filter(({ type }) => /turn|error/.test(type))).toEqual([])
    expect(printed()).not.toMatch(/\x1b/)
  })

  it.each([["exit 0", { exit_code: 0 }], ["exit 3", { exit_code: 3 }]])(
    "%s is no crash, and ends the session with its code",
    async (text, expected) => {
      const { closed, send } = await open()
      send({ text })
      expect(await ended()).toMatchObject(expected)
      expect(client.events.filter(({ type }) => type === "error")).toEqual([])
      expect(await closed).toBe(1000)
      // What every adapter promises, as far as a terminal has it.
      expect(client.events.map(({ seq }) => seq)).toEqual(client.events.map((_, index) => index + 1))
      expect([client.events[0]?.type, client.events.at(-1)?.type]).toEqual(["session_start", "session_end"])
      for (const event of client.events) Schema.decodeUnknownSync(RelayEvent)(event)
    }
  )

  it("that dies by a signal says which", async () => {
    const { send } = await open()
    send({ text: "kill -KILL $$" })
    const end = await ended()
    expect(end.metadata).toEqual({ signal: "SIGKILL" })
    expect(end).not.toHaveProperty("exit_code")
  })

  it("is interrupted by Ctrl-C at any time, and goes on", async () => {
    const { send } = await open()
    send({ text: "echo started; sleep 1000" })
    await shows(/^started\r$/m)
    send({ type: "interrupt" })
    send({ text: "echo code $?" })
    await shows("code 130")
  })

  it("and what runs in it are told of a new size; a watcher too", async () => {
    const { send, waitFor } = await open({ pty: { cols: 80, rows: 24 } })
    send({ text: "trap 'stty size' WINCH; echo ready$((1))" })
    await shows("ready1")
    send({ type: "resize", cols: 101, rows: 41 })
    expect((await waitFor((event) => event.status === "resized")).metadata).toEqual({ cols: 101, rows: 41 })
    send({ text: ":" })
    await shows("41 101")
  })

  it("takes lines as they are typed, keys and all", async () => {
    const { send } = await open()
    send({ type: "stdin", data: "echo one\r" })
    await shows(/^one\r$/m)
    const after = lastSeq()
    send({ type: "stdin", data: "\x1b[A\r" })
    await shows(/^one\r$/m, after)
    send({ type: "stdin", data: "\x04" })
    expect((await ended()).exit_code).toBe(0)
  })

  it("takes several lines as one paste", async () => {
    const { send } = await open({ command: ["bash", "--norc", "--noprofile", "-i"] })
    send({ text: "bind 'set enable-bracketed-paste on'; echo ready$((1))" })
    await shows("ready1")
    await client.waitFor(() => /[#$] $/.test(printed()))
    send({ text: "for n in 1 2 3\ndo echo line $n\ndone" })
    await shows("line 3")
    // A prompt for each line would have been `> `.
    expect(printed()).not.toMatch(/^> /m)
  })

  it("prints in any language, and bytes untouched for a terminal emulator", async () => {
    const { send } = await open({ pty: { raw: true } })
    send({ text: "printf '\\033[31m%s\\033[0m\\n' 'grün 日本語 🙂'" })
    await shows("\x1b[31mgrün 日本語 🙂\x1b[0m")
  })

  it("leaves nothing behind: jobs, and what left its session", async () => {
    const mark = `left-${process.pid}`
    const { send } = await open({ command: ["bash", "--norc", "--noprofile", "-i"] })
    const stay = (name: string) => `bash -c 'exec -a ${mark}-${name} sleep 600'`
    send({ text: `${stay("job")} & setsid ${stay("session")} & nohup ${stay("nohup")} >/dev/null 2>&1 &` })
    send({ text: `(trap '' HUP TERM; ${stay("deaf")}) & echo all$((1))` })
    await shows("all1")
    const names = ["job", "session", "nohup", "deaf"]
    await until(() => names.every((name) => running(`${mark}-${name} 600`).length === 1))
    await client.close()
    await until(() => running(mark).length === 0)
  })

  it("hands 10 MB to a client that reads slowly, all of it", async () => {
    const { send, socket } = await open({ command: ["bash", "-c", "read go; seq 1 1400000; echo the end"] })
    send({ text: "go" })
    await shows("1\r\n2\r\n")
    for (const _ of Array(5)) {
      socket.pause()
      await new Promise((resolve) => setTimeout(resolve, 20))
      socket.resume()
      await client.waitFor("stdout", { after: lastSeq() })
    }
    await ended()
    const lines = printed().split("\r\n")
    expect(lines.length).toBe(1_400_000 + 3)
    expect(lines.slice(1, -2).every((line, index) => line === String(index + 1))).toBe(true)
    expect(lines.at(-2)).toBe("the end")
  })

  it("costs no memory while nobody reads what it prints", async () => {
    const mark = `flood-${process.pid}`
    const { send, socket } = await open({ command: ["bash", "-c", `read go; exec yes ${mark}`] })
    send({ text: "go" })
    await shows(mark)
    const [pid] = running(`yes ${mark}`)
    const written = () => numberIn(`/proc/${pid}/io`, /wchar: (\d+)/)
    const seen = lastSeq()
    socket.pause()
    await until(() => written() > 40_000_000, 30_000)
    expect(numberIn(`/proc/${daemon.pid}/status`, /VmRSS:\s+(\d+)/)).toBeLessThan(250_000)
    socket.resume()
    await client.waitFor("stdout", { after: seen + 100 })
    await client.close()
    await until(() => running(mark).length === 0)
  })

  it("can be attached to again, with all that was printed meanwhile", async () => {
    const session_id = "terminal-1"
    const { drop, send } = await open({ session_id })
    send({ text: "echo first$((1))" })
    await shows("first1")
    const seen = lastSeq()
    send({ text: "sleep 0.2; echo second$((1))" })
    await client.waitFor("input_ack", { after: seen })
    drop()
    await open({ session_id, after_seq: seen })
    await shows("second1")
    expect(printed()).not.toContain("first1")
  })
})

describe.skipIf(isMissing("python3"))("python3", () => {
  it("is a conversation too", async () => {
    const { send } = await open({ command: ["python3", "-q"] })
    await shows(">>> ")
    send({ text: "print('grün', 6 * 7)" })
    await shows(/^grün 42\r$/m)
    send({ text: "import sys; sys.exit(4)" })
    expect((await ended()).exit_code).toBe(4)
  })
})

describe.skipIf(isMissing("vi"))("vi", () => {
  it("edits a file, key by key; none of its codes is seen", async () => {
    const { send } = await open({ command: ["vi", "note.txt"], pty: { cols: 80, rows: 24 } })
    await shows("note.txt")
    send({ type: "stdin", data: "iHello grün" })
    await shows("Hello grün")
    send({ type: "stdin", data: "\x1b" })
    send({ type: "stdin", data: ":wq\r" })
    expect((await ended()).exit_code).toBe(0)
    expect(readFileSync(join(folder, "note.txt"), "utf8")).toBe("Hello grün\n")
    expect(printed()).not.toMatch(/[\x00-\x07\x0b\x0c\x0e-\x1f\x7f]|\d;\d+m|\?25/)
  })
})

describe("what is refused", () => {
  const refusal = async (handshake: object, relay?: Daemon): Promise<Event> => {
    const { closed, waitFor } = await open(handshake, relay)
    const error = await waitFor("error", { after: -1 })
    expect(await closed).toBe(1008)
    return error
  }

  it("a program that is not there, with what to do", async () => {
    const error = await refusal({ command: ["no-such-program"] })
    expect(error).toMatchObject({ code: "command_not_found" })
    expect(error.text).toContain("Install it")
  })

  it("a folder outside, a folder that is not there, no command, a program as `tool`", async () => {
    expect((await refusal({ folder: "/" })).code).toBe("forbidden_folder")
    expect((await refusal({ folder: join(home, "none") })).code).toBe("folder_not_found")
    expect((await refusal({ command: null })).code).toBe("bad_handshake")
    expect(await refusal({ tool: "bash", command: null })).toMatchObject({ code: "unknown_tool" })
  })

  it("images, and what only agents understand; the session goes on", async () => {
    const { send, waitFor } = await open()
    send({
      type: "user_message",
      content: "",
      images: [{ type: "image", source: { type: "base64", media_type: "image/png", data: "AAAA" } }],
      message_id: "m1"
    })
    expect(await waitFor("error")).toMatchObject({ code: "bad_command", message_id: "m1" })
    send({ type: "set_model", model: "x", message_id: "m2" })
    await waitFor((event) => event.message_id === "m2" && event.code === "bad_command")
    send({ text: "echo on$((1))" })
    await shows("on1")
  })

  it("all but what the relay was started for, which may then be the `tool`", async () => {
    const args = ["--root", home, "--allow-program", "bash", "--allow-program", "no-such-program"]
    const strict = await startDaemon({ env, cwd: home, args })
    try {
      expect((await refusal({ command: ["python3"] }, strict)).text).toContain("--allow-program python3")
      expect((await refusal({ tool: "no-such-program", command: null }, strict)).code).toBe(
        "command_not_found"
      )
      const { send } = await open({ tool: "bash", command: null, extra_args: ["--norc"] }, strict)
      expect((await client.waitFor("session_start")).metadata.tool).toBe("bash")
      send({ text: "echo by$((1))name" })
      await shows("by1name")
    } finally {
      await client.close()
      await strict.stop()
    }
  })
})

const numberIn = (file: string, pattern: RegExp) => Number(pattern.exec(readFileSync(file, "utf8"))?.[1])
