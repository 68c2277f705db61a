/** foreignFronts: the fronts whose people come back after a kill: who judges each, and how its person is told where to go. */
import { fileURLToPath } from "node:url"
import type { Daemon } from "./daemon.js"
import { type Judges, judgesOf } from "./judges.js"
import { type FrontName, type Person, startPerson } from "./person.js"

const program = fileURLToPath(new URL("../../dist/cli.mjs", import.meta.url))

export interface Place {
  readonly relay: Pick<Daemon, "url">
  readonly tool: string
  readonly cwd: string
}

const http = ({ url }: Pick<Daemon, "url">) => url.replace(/^ws/, "http").replace(/\/$/, "")

interface ForeignFront {
  readonly judges: Judges
  readonly told: (place: Place) => object
}

const fronts: Readonly<Record<FrontName, ForeignFront>> = {
  acp: {
    judges: judgesOf("acp"),
    told: ({ cwd, relay, tool }) => ({
      sdk: "@agentclientprotocol/sdk",
      command: [process.execPath, program, "acp", "--tool", tool, "--url", relay.url],
      cwd,
      forms: true
    })
  },
  agui: {
    judges: judgesOf("ag-ui"),
    told: ({ cwd, relay, tool }) => ({ sdk: "@ag-ui/client", url: http(relay), tool, cwd })
  },
  chat: {
    judges: judgesOf("ai-sdk"),
    told: ({ cwd, relay, tool }) => ({ sdk: "ai", version: 7, url: http(relay), tool, cwd })
  }
}

export const frontNames = Object.keys(fronts) as ReadonlyArray<FrontName>

/** Why a front cannot be judged here. */
export const missing = frontNames.map((front) => fronts[front].judges.missing).find((why) =>
  why !== undefined
)

/** Somebody who prompts, in a session of this name; an editor lets the relay name it: see `{"session"}`. */
export const prompting = (
  front: FrontName,
  place: Place,
  session: string,
  prompts: ReadonlyArray<string>,
  more: object = {}
): Person =>
  startPerson(front, fronts[front].judges, {
    ...fronts[front].told(place),
    ...(front !== "acp" && { session }),
    name: session,
    prompts,
    ...more
  })

/** The name of the session somebody has opened. */
export const sessionOf = async (front: FrontName, person: Person, name: string): Promise<string> =>
  front === "acp" ? (await person.until(({ session }) => session !== undefined))["session"] : name

/** Somebody else who comes to a session there is. */
export const coming = (
  front: FrontName,
  place: Place,
  session: string,
  prompts: ReadonlyArray<string> = [],
  more: object = {}
): Person =>
  startPerson(front, fronts[front].judges, {
    ...fronts[front].told(place),
    session,
    name: `${session}-again`,
    come: true,
    prompts,
    ...more
  })
