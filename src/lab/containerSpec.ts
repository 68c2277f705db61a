/**
 * containerSpec: what a user's relay is allowed, in the words of the Docker Engine API.
 *
 * No capabilities, no new privileges, bounded memory (no swap beside it), CPU, processes and log, no published port; of the
 * machine's files it sees the user's folder alone, as its home. Its own files are read-only but for that and what lies in
 * memory. The labels say whose it is: they are all that the processes of a lab share.
 */
import type { ContainerCreateOptions, CreateServiceOptions, HostConfig } from "dockerode"
import { join } from "node:path"
import type { LabSettings } from "./LabConfig.js"
import * as User from "./User.js"

const labLabel = "ai-relay.lab"
const userLabel = "ai-relay.lab.user"
const tokenVariable = "AI_RELAY_TOKEN"

/** What a container or service is called. Labs that share an engine have networks of their own. */
export const nameOf = ({ network }: LabSettings, { name }: User.User) => `${network}-${name}`

const labelsOf = ({ network }: LabSettings, { id }: User.User) => ({ [labLabel]: network, [userLabel]: id })

type Labels = Readonly<Record<string, string>> | undefined

/** The user whose relay it is, if it is one of this lab's. */
export const ownerOf = ({ network }: LabSettings, labels: Labels): User.User | undefined => {
  const id = labels?.[userLabel]
  return labels?.[labLabel] === network && id !== undefined ? User.make(id) : undefined
}

/** For listing all that belong to the lab. */
export const filterOf = ({ network }: LabSettings) => ({ label: [`${labLabel}=${network}`] })

/** The relay's access token stands in its environment, where every process of the lab finds it. */
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

/** The user's folder, as the engine's machine names it. */
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
    // As much as memory: none.
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
/** What a container prints fills no disk. */
const log = { Name: "json-file", Options: { "max-size": "10m", "max-file": "3" } }

const nanoCpus = ({ cpus }: LabSettings) => Math.round(cpus * 1e9)

/**
 * Makes the user's folder, for that user alone. A container does it, because the folder is on the engine's machine and
 * the user's number is known to the image.
 */
export const toFolderMaker = (settings: LabSettings, { name }: User.User): ContainerCreateOptions => ({
  Image: settings.image,
  Entrypoint: ["install"],
  Cmd: ["-d", "-m", "0700", "-o", settings.container_user.split(":", 1).join(""), `/workspaces/${name}`],
  User: "0:0",
  WorkingDir: "/",
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

/** Newer than the types. Engines before 27 ignore it: there, no capabilities has to do. */
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
