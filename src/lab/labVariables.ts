/**
 * labVariables: the variables that configure the lab, each with its default, description and validation.
 * `labSettings` lists them for the help and the docs.
 */
import { Config, Schema } from "effect"

/** A setting as shown to people. */
export interface LabSetting {
  readonly name: string
  readonly standard: string
  readonly about: string
}

/** Every setting, in the order of the help. */
export const labSettings: Array<LabSetting> = []

const variable = (name: string, standard: string, about: string): string => {
  labSettings.push({ name, standard, about })
  return name
}

/** Reports every invalid value with the same message. */
const fitting = <A>(
  schema: Schema.Codec<A, string>,
  problem: string,
  fits: (value: A) => boolean
): Schema.Codec<A, string> => schema.check(Schema.makeFilter((value: A) => fits(value) || problem))

const text = (
  name: string,
  standard: string,
  about: string,
  problem = "must not be empty",
  fits: (value: string) => boolean = () => true
) =>
  Config.schema(fitting(Schema.NonEmptyString, problem, fits), variable(name, standard, about)).pipe(
    Config.withDefault(standard)
  )

const optional = (name: string, about: string) =>
  Config.option(Config.NonEmptyString(variable(name, "", about)))

const list = (name: string, about: string) =>
  Config.Array(Schema.Trim.check(Schema.isNonEmpty()), variable(name, "", about)).pipe(
    Config.withDefault<ReadonlyArray<string>>([])
  )

const number = (
  name: string,
  standard: number,
  about: string,
  problem: string,
  fits: (n: number) => boolean
) =>
  Config.schema(fitting(Schema.NumberFromString, problem, fits), variable(name, String(standard), about))
    .pipe(
      Config.withDefault(standard)
    )

const whole = (least: number) => (n: number) => Number.isInteger(n) && n >= least
const positive = (n: number) => n > 0

const units: Readonly<Record<string, number>> = { "": 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 }

/** Docker's size format: `512m`, `2g`, or a number of bytes. */
export const sizeIn = (size: string): number | undefined => {
  const [, digits, unit = ""] = /^(\d+)([kmg]?)b?$/i.exec(size) ?? []
  return digits === undefined ? undefined : Number(digits) * (units[unit.toLowerCase()] ?? 1)
}

/** The variables' values. */
export const variables = Config.all({
  mode: Config.Literals(
    ["single", "multi"],
    variable("LAB_MODE", "single", "single: sessions in this process; multi: a container per user")
  ).pipe(Config.withDefault("single" as const)),
  engine: Config.Literals(
    ["docker", "swarm"],
    variable("LAB_ENGINE", "docker", "docker: containers; swarm: services, on any node")
  ).pipe(Config.withDefault("docker" as const)),
  workspace_root: text(
    "LAB_WORKSPACE_ROOT",
    "/var/ohwise-lab-workspaces",
    "Holds a folder per user",
    "must be an absolute path",
    (path) => path.startsWith("/")
  ),
  image: text("LAB_IMAGE", "ohwise-lab-ctrl:local", "Image of the users' relays"),
  network: text("LAB_NETWORK", "lab-network", "Network of the users' relays; created if it does not exist"),
  container_port: number(
    "LAB_CONTAINER_PORT",
    9000,
    "Port they listen on, never published",
    "must be a port, 1 to 65535",
    (port) => whole(1)(port) && port < 65_536
  ),
  container_user: text(
    "LAB_CONTAINER_USER",
    "labuser",
    "User that they run as: a name in the image, or a number"
  ),
  container_home: Config.option(Config.NonEmptyString(
    variable("LAB_CONTAINER_HOME", "/home/<user>", "Where a user's folder is mounted, their home")
  )),
  startup_delay: number(
    "LAB_CONTAINER_STARTUP_DELAY",
    1.5,
    "Longest pause between two probes of a starting relay, in seconds",
    "must be a number of seconds, more than 0",
    positive
  ),
  ws_timeout: number(
    "LAB_CONTAINER_WS_TIMEOUT",
    15,
    "Seconds that a relay may take to become reachable",
    "must be a number of seconds, more than 0",
    positive
  ),
  idle_timeout: number(
    "LAB_IDLE_TIMEOUT_SECS",
    1800,
    "Seconds without clients and running turns until a relay is stopped; 0: never",
    "must be a number of seconds, 0 or more",
    (seconds) => seconds >= 0
  ),
  memory: text(
    "LAB_CONTAINER_MEMORY",
    "4g",
    "Memory of a container",
    "must be a size, such as 512m or 2g",
    (size) => sizeIn(size) !== undefined
  ),
  cpus: number("LAB_CONTAINER_CPUS", 2, "CPUs of a container", "must be a number, more than 0", positive),
  pids: number(
    "LAB_CONTAINER_PIDS",
    1024,
    "Processes and threads of a container",
    "must be a whole number, 16 or more",
    whole(16)
  ),
  env_names: list(
    "LAB_CONTAINER_ENV",
    "Variables of the lab that are passed to the containers, such as ANTHROPIC_API_KEY"
  ),
  tokens_file: optional("LAB_TOKENS_FILE", "Users by token, one per line: USER TOKEN, or USER sha256:HEX"),
  jwt_secret: Config.option(
    Config.Redacted(variable("LAB_JWT_SECRET", "", "Secret of signed tokens (HS256)"))
  ),
  jwt_secret_file: optional("LAB_JWT_SECRET_FILE", "File that holds it"),
  jwt_jwks: Config.option(
    Config.URL(variable("LAB_JWT_JWKS", "", "URL of the keys of signed tokens (RS256, ES256, EdDSA …)"))
  ),
  jwt_issuer: optional("LAB_JWT_ISSUER", "Who must have issued a signed token"),
  jwt_audience: optional("LAB_JWT_AUDIENCE", "Whom a signed token must be for"),
  jwt_claim: text("LAB_JWT_CLAIM", "sub", "Claim that names the user"),
  user_header: optional(
    "LAB_USER_HEADER",
    "Header in which a proxy names the user, such as X-Forwarded-User"
  ),
  trusted_proxies: list(
    "LAB_TRUSTED_PROXIES",
    "Addresses or networks of trusted proxies, such as 10.0.0.0/24"
  )
})
