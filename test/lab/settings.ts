/** settings: a lab's settings for tests: as they are without any variable, but for what a test wants. */
import { Option } from "effect"
import type { LabSettings } from "../../src/lab/LabConfig.js"

export const settings = (some: Partial<LabSettings> = {}): LabSettings => ({
  mode: "multi",
  engine: "docker",
  workspace_root: "/var/ohwise-lab-workspaces",
  image: "ohwise-lab-ctrl:local",
  network: "lab-network",
  container_port: 9000,
  container_user: "labuser",
  container_home: "/home/labuser",
  startup_delay: 1.5,
  ws_timeout: 15,
  idle_timeout: 1800,
  memory_bytes: 4 * 1024 ** 3,
  cpus: 2,
  pids: 1024,
  env: {},
  tokens_file: Option.none(),
  jwt_secret: Option.none(),
  secret_files: [],
  jwt_jwks: Option.none(),
  jwt_issuer: Option.none(),
  jwt_audience: Option.none(),
  jwt_claim: "sub",
  user_header: Option.none(),
  trusted_proxies: [],
  ...some
})
