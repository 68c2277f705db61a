/**
 * GenericAdapter: any program on a terminal of its own.
 *
 * Its output becomes `stdout` events, without escape codes unless `pty.raw` asks for them; nothing is
 * inferred from it. Prompts are typed, followed by Enter, and `stdin` is typed unchanged. A terminal does not
 * tell when its program is done, so there are no turns: a prompt is only acknowledged (`input_ack`), and an
 * interrupt is Ctrl-C at any time. The program is `command` or, if the relay's `allow_programs` lists it,
 * `tool` itself with `extra_args`.
 */
import { Effect, Layer, Match } from "effect"
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
import * as Screen from "./Screen.js"
import * as TerminalText from "./TerminalText.js"
import { enter, typed } from "./typed.js"

export const layer = ({ allow_programs }: Pick<AdapterSettings, "allow_programs">) =>
  Layer.effect(AgentAdapter, make(allow_programs))

const make = Effect.fnUntraced(function*(allowed: AllowedPrograms) {
  const spawner = yield* TerminalSpawner

  const open = Effect.fnUntraced(function*(spec: AgentSpec) {
    const sink = yield* EventSink
    const launch = yield* toLaunch(spec, allowed)
    const { cols = 120, raw = false, rows = 30 } = spec.pty ?? {}
    const pty = { cols, rows, raw }

    const decoder = new TextDecoder("utf-8", { ignoreBOM: true })
    const text = TerminalText.make()
    const screen = Screen.make()
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
        // The current state at the time a client attaches.
        metadata: { pty }
      },
      send: sendTo(terminal, resize, screen, text.marksPastes),
      // A character that was never completed.
      exit: Effect.tap(terminal.exit, Effect.sync(() => tell(decoder.decode())))
    }
  })

  return AgentAdapter.of({ tool: generic.tool, terminal: true, open })
})

const sendTo = (
  { interrupt, write }: Terminal,
  resize: (size: TerminalSize) => Effect.Effect<void>,
  screen: Screen.Screen,
  marksPastes: () => boolean
) =>
  Match.type<AgentCommand>().pipe(
    Match.withReturnType<Effect.Effect<void, SendError>>(),
    Match.discriminators("type")({
      user_message: (prompt) =>
        Effect.suspend(() => {
          const before = screen.times()
          const isPasted = marksPastes()
          return write(typed(prompt, isPasted)).pipe(
            Effect.andThen(isPasted ? Screen.hasTaken(screen, before) : Effect.sleep(Screen.beforeEnter)),
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
