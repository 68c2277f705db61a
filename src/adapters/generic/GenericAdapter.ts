/**
 * GenericAdapter: any program on a terminal of its own.
 *
 * What it prints comes as `stdout` events, without escape codes unless `pty.raw` asks for them; nothing is guessed out
 * of it. Prompts are typed, with Enter, and `stdin` is typed as it is. A terminal does not tell when its program is
 * done, so there are no turns: a prompt is acknowledged (`input_ack`) and that is all; an interrupt is Ctrl-C at any
 * time. The program is `command`, or, where the relay's `allow_programs` names it, `tool` itself with `extra_args`.
 */
import { Effect, Layer, Match, Option } from "effect"
import {
  type AgentCommand,
  type AgentSpec,
  EventSink,
  type Terminal,
  type TerminalSize,
  TerminalSpawner
} from "../Adapter.js"
import { CommandRefused, type SendError } from "../AdapterError.js"
import { type AdapterSettings, AgentAdapter } from "../AgentDescriptor.js"
import { generic } from "./descriptor.js"
import { type AllowedPrograms, toLaunch } from "./GenericLaunch.js"
import * as TerminalText from "./TerminalText.js"
import { enter, typed } from "./typed.js"

export const layer = ({ allow_programs }: Pick<AdapterSettings, "allow_programs">) =>
  Layer.effect(AgentAdapter, make(allow_programs))

const make = Effect.fnUntraced(function*(allowed: AllowedPrograms) {
  const spawner = yield* TerminalSpawner

  const open = Effect.fn("GenericAdapter.open")(function*(spec: AgentSpec) {
    const sink = yield* EventSink
    const launch = yield* toLaunch(spec, allowed)
    const { cols = 120, raw = false, rows = 30 } = spec.pty ?? {}
    const pty = { cols, rows, raw }

    const decoder = new TextDecoder("utf-8", { ignoreBOM: true })
    const text = TerminalText.make()
    const screen = makeScreen()
    const tell = (printed: string) => {
      screen.drew()
      const cleaned = text.feed(printed)
      const shown = raw ? printed : cleaned
      if (shown !== "") sink.emit({ type: "stdout", text: shown })
    }

    const terminal = yield* spawner.spawn(
      launch,
      { cols, rows },
      (bytes) => tell(decoder.decode(bytes, { stream: true }))
    )

    const resize = ({ cols, rows }: TerminalSize) =>
      Effect.andThen(
        terminal.resize({ cols, rows }),
        Effect.sync(() => {
          Object.assign(pty, { cols, rows })
          sink.emit({ type: "status", status: "resized", metadata: { cols, rows } })
        })
      )

    return {
      started: {
        cmd: [launch.command, ...launch.args],
        capabilities: {
          images: false,
          steer: false,
          set_model: false,
          permission_modes: [],
          resume: false,
          terminal: true
        },
        // As it is when somebody attaches.
        metadata: { pty }
      },
      send: sendTo(terminal, resize, screen, text.marksPastes),
      // A character that was never finished.
      exit: Effect.tap(terminal.exit, Effect.sync(() => tell(decoder.decode())))
    }
  })

  return AgentAdapter.of({ tool: generic.tool, terminal: true, open })
})

/** When a program draws. */
interface Screen {
  readonly drew: () => void
  /** How often it drew. */
  readonly times: () => number
  /** It has drawn more often than so many times. */
  readonly drawnSince: (times: number) => Effect.Effect<void>
}

const makeScreen = (): Screen => {
  let times = 0
  const waiting = new Set<() => void>()
  return {
    drew: () => {
      times += 1
      for (const wake of [...waiting]) wake()
    },
    times: () => times,
    drawnSince: (before) =>
      Effect.callback<void>((resume) => {
        if (times > before) return resume(Effect.void)
        const wake = () => {
          waiting.delete(wake)
          resume(Effect.void)
        }
        waiting.add(wake)
        return Effect.sync(() => void waiting.delete(wake))
      })
  }
}

/** How long a program may take to have taken a text: of Claude, Codex and Gemini none was ready after 60 ms, all by this. */
const beforeEnter = "150 millis"
/** So long a program that knows pastes may take to draw one on a busy machine, and to be still after it. */
const toDraw = "2 seconds"
const toRest = "3 seconds"

/** It has drawn what was pasted, and nothing more for a moment: an Enter that comes before is a part of the text to some. */
const hasTaken = (screen: Screen, before: number) => {
  const draws = Effect.suspend(() => Effect.timeoutOption(screen.drawnSince(screen.times()), beforeEnter))
  return screen.drawnSince(before).pipe(
    Effect.timeoutOption(toDraw),
    Effect.andThen(Effect.repeat(draws, { while: Option.isSome })),
    Effect.timeoutOption(toRest)
  )
}

const sendTo = (
  { interrupt, write }: Terminal,
  resize: (size: TerminalSize) => Effect.Effect<void>,
  screen: Screen,
  marksPastes: () => boolean
) =>
  Match.type<AgentCommand>().pipe(
    Match.withReturnType<Effect.Effect<void, SendError>>(),
    Match.discriminators("type")({
      user_message: (prompt) =>
        Effect.suspend(() => {
          const before = screen.times()
          return write(typed(prompt, marksPastes())).pipe(
            Effect.andThen(marksPastes() ? hasTaken(screen, before) : Effect.sleep(beforeEnter)),
            Effect.andThen(write(enter))
          )
        }),
      stdin: ({ data }) => write(data),
      interrupt: () => interrupt,
      resize
    }),
    Match.orElse(({ type }) =>
      new CommandRefused({ reason: `a program on a terminal does not understand \`${type}\`: use \`stdin\`` })
    )
  )
