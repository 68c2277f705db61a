/**
 * containerSpec: the rights of a user's relay, as Docker Engine API settings.
 *
 * No capabilities, no new privileges, limited memory (without swap), CPU, processes and log, and no published
 * port. Of the machine's files it sees only the user's folder, as its home; its own files are read-only
 * except for that and in-memory folders. The labels name the owner: they are all that the processes of a lab
 * share.
 */
import type { ContainerCreateOptions, CreateServiceOptions, HostConfig } from "dockerode"
import { join } from "node:path"
import type { LabSettings } from "./LabConfig.js"
import * as User from "./User.js"

const labLabel = "ai-relay.lab"
const userLabel = "ai-relay.lab.user"
const tokenVariable = "AI_RELAY_TOKEN"

/** Name of a container or service. Labs that share an engine have separate networks. */
export const nameOf = ({ network }: LabSettings, { name }: User.User) => `${network}-${name}`

const labelsOf = ({ network }: LabSettings, { id }: User.User) => ({ [labLabel]: network, [userLabel]: id })

type Labels = Readonly<Record<string, string>> | undefined

/** The user whose relay it is, if it belongs to this lab. */
export const ownerOf = ({ network }: LabSettings, labels: Labels): User.User | undefined => {
  const id = labels?.[userLabel]
  return labels?.[labLabel] === network && id !== undefined ? User.make(id) : undefined
}

/** Filter that lists everything belonging to the lab. */
export const filterOf = ({ network }: LabSettings) => ({ label: [`${labLabel}=${network}`] })

/** Filter of what belongs to the lab and does not run: ended, or never started. */
export const endedFilterOf = (settings: LabSettings) => ({
  ...filterOf(settings),
  status: ["created", "exited", "dead"]
})

/** The relay's access token is in its environment, where every process of the lab finds it. */
export const tokenIn = (env: ReadonlyArray<string> | undefined): string =>
  env?.find((entry) => entry.startsWith(`${tokenVariable}=`))?.slice(tokenVariable.length + 1) ?? ""

const envOf = (settings: LabSettings, name: string, token: string) =>
  Object.entries({
    ...settings.env,
    HOME: settings.container_home,
    AI_RELAY_ALLOW_HOST: name,
    AI_RELAY_PASS_ENV: Object.keys(settings.env).filter((name) => !name.startsWith("AI_RELAY_")).join(","),
    AI_RELAY_PORT: String(settings.container_port),
    [tokenVariable]: token
  }).filter(([, value]) => value !== "").map(([variable, value]) => `${variable}=${value}`)

const commandOf = ({ container_port }: LabSettings) => ["ai-relay", "serve", "--port", String(container_port)]

/** The user's folder as seen by the engine's machine. */
const folderOf = ({ workspace_root }: LabSettings, { name }: User.User) => join(workspace_root, name)

const homeOf = (settings: LabSettings, user: User.User) => ({
  Type: "bind" as const,
  Source: folderOf(settings, user),
  Target: settings.container_home
})

export const toContainer = (
  settings: LabSettings,
  user: User.User,
  token: string
): ContainerCreateOptions => ({
  name: nameOf(settings, user),
  Image: settings.image,
  Cmd: commandOf(settings),
  Env: envOf(settings, nameOf(settings, user), token),
  User: settings.container_user,
  WorkingDir: settings.container_home,
  Labels: labelsOf(settings, user),
  HostConfig: {
    NetworkMode: settings.network,
    Mounts: [homeOf(settings, user)],
    CapDrop: ["ALL"],
    SecurityOpt: ["no-new-privileges"],
    Memory: settings.memory_bytes,
    // The same as memory, so there is none.
    MemorySwap: settings.memory_bytes,
    ReadonlyRootfs: true,
    Tmpfs: Object.fromEntries(inMemory.map((path) => [path, `rw,exec,nosuid,nodev,mode=${openMode}`])),
    LogConfig: { Type: log.Name, Config: log.Options },
    NanoCpus: nanoCpus(settings),
    PidsLimit: settings.pids
  }
})

/** Writable, and counted as the container's memory. */
const inMemory = ["/tmp", "/var/tmp", "/run"]
const openMode = "1777"
/** Keeps a container's output from filling the disk. */
const log = { Name: "json-file", Options: { "max-size": "10m", "max-file": "3" } }

const nanoCpus = ({ cpus }: LabSettings) => Math.round(cpus * 1e9)

/**
 * Creates the user's folder, for that user only. A container does it, because the folder is on the engine's
 * machine and only the image knows the user's number.
 */
export const toFolderMaker = (settings: LabSettings, { name }: User.User): ContainerCreateOptions => ({
  Image: settings.image,
  Entrypoint: ["install"],
  Cmd: ["-d", "-m", "0700", "-o", settings.container_user.split(":", 1).join(""), `/workspaces/${name}`],
  User: "0:0",
  WorkingDir: "/",
  // It has no user, so it is nobody's relay.
  Labels: { [labLabel]: settings.network },
  HostConfig: { ...folderMaker, Binds: [`${settings.workspace_root}:/workspaces`] }
})

const folderMaker: HostConfig = {
  NetworkMode: "none",
  CapDrop: ["ALL"],
  CapAdd: ["CHOWN", "DAC_OVERRIDE", "FOWNER"],
  SecurityOpt: ["no-new-privileges"]
}

const memoryAt = (Target: string) => ({
  Type: "tmpfs" as const,
  Source: "",
  Target,
  TmpfsOptions: { SizeBytes: 0, Mode: Number.parseInt(openMode, 8) }
})

/** Newer than the types. Engines before 27 ignore it; there, dropping all capabilities must suffice. */
const noNewPrivileges: object = { NoNewPrivileges: true }

/** The same as a service: one task, found by the service's name. */
export const toService = (settings: LabSettings, user: User.User, token: string): CreateServiceOptions => ({
  Name: nameOf(settings, user),
  Labels: labelsOf(settings, user),
  TaskTemplate: {
    ContainerSpec: {
      Image: settings.image,
      Args: commandOf(settings),
      Env: envOf(settings, nameOf(settings, user), token),
      User: settings.container_user,
      Dir: settings.container_home,
      Mounts: [homeOf(settings, user), ...inMemory.map(memoryAt)],
      ReadOnly: true,
      CapabilityDrop: ["ALL"],
      Privileges: noNewPrivileges
    },
    Resources: {
      Limits: { MemoryBytes: settings.memory_bytes, NanoCPUs: nanoCpus(settings), Pids: settings.pids }
    },
    LogDriver: log,
    RestartPolicy: { Condition: "any", Delay: 1e9 },
    Networks: [{ Target: settings.network }]
  },
  Mode: { Replicated: { Replicas: 1 } },
  EndpointSpec: { Mode: "dnsrr" }
})
