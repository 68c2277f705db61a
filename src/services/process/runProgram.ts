/**
 * runProgram: runs a short program such as git and gives its output and exit code, with limits on bytes and time. It inherits
 * nothing from the relay's environment.
 */
import { Effect, Schema } from "effect"
import { spawn } from "node:child_process"
import { relayEnvironment } from "./AgentEnvironment.js"
import { findProgram } from "./findProgram.js"

/** It did not run, or was ended: `reason` is for people. */
export class ProgramFailed extends Schema.TaggedError<ProgramFailed>()("ProgramFailed", {
  why: Schema.Literals(["not_started", "too_much", "too_slow"]),
  reason: Schema.String
}) {
  override get message() {
    return this.reason
  }
}

export interface ProgramSpec {
  /** Absolute. */
  readonly program: string
  readonly args: ReadonlyArray<string>
  readonly cwd: string
  /** The whole of its environment. */
  readonly env: Readonly<Record<string, string>>
  /** What it reads; default nothing. */
  readonly input?: Buffer | undefined
  /** Bytes it may print before it is ended. */
  readonly most_bytes: number
  /** How long it may take before it is ended, in ms. */
  readonly timeout_ms: number
}

export interface Ran {
  /** -1 if a signal ended it. */
  readonly code: number
  readonly stdout: Buffer
  /** Its first 4000 characters. */
  readonly stderr: string
}

const longestComplaint = 4000

/** Where a program lies, with the relay's own PATH; undefined if it is not installed. */
export const placeOf = (name: string): string | undefined => findProgram(name, relayEnvironment(), "/")

/** The PATH of the relay, for programs that start others of their own. */
export const ownPath = (): string => relayEnvironment()["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"

/** Interrupted, it is ended. */
export const runProgram = (spec: ProgramSpec): Effect.Effect<Ran, ProgramFailed> =>
  Effect.callback((resume) => {
    const { args, cwd, env, input, most_bytes, program, timeout_ms } = spec
    const child = spawn(program, args, {
      cwd,
      env,
      stdio: [input === undefined ? "ignore" : "pipe", "pipe", "pipe"]
    })
    const chunks: Array<Buffer> = []
    let size = 0
    let stderr = ""
    let isOver = false
    const end = (how: Effect.Effect<Ran, ProgramFailed>) => {
      if (isOver) return
      isOver = true
      clearTimeout(timer)
      resume(how)
    }
    const stop = (why: ProgramFailed["why"], reason: string) => {
      child.kill("SIGKILL")
      end(Effect.fail(new ProgramFailed({ why, reason })))
    }
    const timer = setTimeout(
      () => stop("too_slow", `${program} took longer than ${timeout_ms} ms`),
      timeout_ms
    )
    child.stdout?.on("data", (chunk: Buffer) => {
      size += chunk.length
      if (size > most_bytes) stop("too_much", `${program} printed more than ${most_bytes} bytes`)
      else chunks.push(chunk)
    })
    child.stderr?.on("data", (chunk: Buffer) => {
      if (stderr.length < longestComplaint) stderr += chunk.toString("utf8").slice(0, longestComplaint)
    })
    child.once(
      "error",
      (error) => end(Effect.fail(new ProgramFailed({ why: "not_started", reason: error.message })))
    )
    child.once(
      "close",
      (code) =>
        end(Effect.succeed({ code: code ?? -1, stdout: Buffer.concat(chunks), stderr: stderr.trim() }))
    )
    // It may end without having read all.
    child.stdin?.on("error", () => {})
    child.stdin?.end(input)
    return Effect.sync(() => {
      isOver = true
      clearTimeout(timer)
      child.kill("SIGKILL")
    })
  })
