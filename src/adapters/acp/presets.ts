/**
 * presets: the agents speaking the Agent Client Protocol that the relay knows by name. To add one, add a
 * line.
 *
 * Commands come from each agent's documentation. Agents with a file of their own were tested; the others are
 * documented only and get no untested quirks.
 */
import { npm, run, runOnce, see } from "../advice.js"
import { geminiAgent } from "../gemini/geminiAgent.js"
import { anyModel, aws, regions } from "../variables.js"
import type { AcpAgent } from "./AcpAgent.js"
import { claudeAgent } from "./agents/claudeAgent.js"
import { codexAcp } from "./agents/codexAcp.js"
import { copilot } from "./agents/copilot.js"
import { kimi } from "./agents/kimi.js"
import { opencode } from "./agents/opencode.js"
import { pi } from "./agents/pi.js"
import { qwen } from "./agents/qwen.js"

export const presets: ReadonlyArray<AcpAgent> = [
  geminiAgent,
  claudeAgent,
  codexAcp,
  copilot,
  kimi,
  opencode,
  pi,
  qwen,
  {
    tool: "cortex-code",
    name: "Cortex Code",
    command: "cortex",
    args: ["acp", "serve"],
    install: see("https://docs.snowflake.com/en/user-guide/cortex-code/cortex-code-cli"),
    login: run("cortex auth login"),
    inherits: ["CORTEX_*", "SNOWFLAKE_*"],
    settable: ["SNOWFLAKE_PAT"],
    writable: ["~/.snowflake"]
  },
  {
    tool: "goose",
    name: "Goose",
    command: "goose",
    args: ["acp"],
    install: see("https://block.github.io/goose/docs/getting-started/installation"),
    login: run("goose configure"),
    inherits: ["GOOSE_*", ...anyModel],
    settable: ["GOOSE_MODEL", "GOOSE_PROVIDER", ...aws, ...regions],
    writable: ["~/.config/goose", "~/.local/share/goose", "~/.local/state/goose"]
  },
  {
    tool: "cursor",
    name: "Cursor",
    command: "agent",
    args: ["acp"],
    authenticate: "cursor_login",
    install: see("https://cursor.com/docs/cli/installation"),
    login: run("agent login"),
    inherits: ["CURSOR_*"]
  },
  {
    tool: "kiro",
    name: "Kiro",
    command: "kiro-cli",
    args: ["acp"],
    install: see("https://kiro.dev/docs/cli/installation"),
    login: run("kiro-cli login"),
    inherits: ["KIRO_*", "AWS_*"],
    settable: aws,
    writable: ["~/.kiro", "~/.local/share/kiro-cli"]
  },
  {
    tool: "auggie",
    name: "Auggie",
    command: "auggie",
    args: ["--acp"],
    env: { AUGMENT_DISABLE_AUTO_UPDATE: "1" },
    install: npm("@augmentcode/auggie"),
    login: run("auggie login"),
    inherits: ["AUGMENT_*"]
  },
  {
    tool: "qoder",
    name: "Qoder",
    command: "qodercli",
    args: ["--acp"],
    install: npm("@qoder-ai/qodercli"),
    login: runOnce("qodercli"),
    inherits: ["QODER_*"]
  },
  {
    tool: "codebuddy",
    aliases: ["codebuddy-code"],
    name: "CodeBuddy Code",
    command: "codebuddy",
    args: ["--acp"],
    install: npm("@tencent-ai/codebuddy-code"),
    login: runOnce("codebuddy"),
    inherits: ["CODEBUDDY_*"]
  },
  {
    tool: "droid",
    aliases: ["factory-droid"],
    name: "Factory Droid",
    command: "droid",
    args: ["exec", "--output-format", "acp"],
    env: { DROID_DISABLE_AUTO_UPDATE: "true", FACTORY_DROID_AUTO_UPDATE_ENABLED: "false" },
    install: npm("droid"),
    login: runOnce("droid"),
    inherits: ["FACTORY_*", "DROID_*"]
  },
  {
    tool: "mistral-vibe",
    name: "Mistral Vibe",
    command: "vibe-acp",
    args: [],
    install: "Install it on the relay's machine: uv tool install mistral-vibe",
    login: runOnce("vibe"),
    inherits: ["MISTRAL_*", "VIBE_*"]
  },
  {
    tool: "antigravity",
    name: "Google Antigravity",
    command: "agy_acp_server.par",
    args: process.platform === "linux" ? ["--uid="] : [],
    install: see("https://antigravity.google/docs/ide/extensions"),
    login: runOnce("agy")
  },
  {
    tool: "grok",
    name: "Grok",
    command: "grok",
    args: ["agent", "stdio"],
    install: npm("@xai-official/grok"),
    login: run("grok login")
  },
  {
    tool: "cline",
    name: "Cline",
    command: "cline",
    args: ["--acp"],
    install: npm("cline"),
    login: run("cline auth")
  },
  {
    tool: "kilo",
    name: "Kilo Code",
    command: "kilo",
    args: ["acp"],
    install: npm("@kilocode/cli"),
    login: run("kilo auth login")
  },
  {
    tool: "junie",
    name: "Junie",
    command: "junie",
    args: ["--acp=true"],
    install: npm("@jetbrains/junie"),
    login: runOnce("junie")
  },
  {
    tool: "devin",
    name: "Devin",
    command: "devin",
    args: ["acp"],
    install: see("https://docs.devin.ai"),
    login: runOnce("devin")
  },
  {
    tool: "amp",
    aliases: ["amp-acp"],
    name: "Amp",
    command: "amp-acp",
    args: [],
    install: see("https://ampcode.com, then https://github.com/tao12345666333/amp-acp"),
    login: run("amp login")
  },
  {
    tool: "poolside",
    name: "Poolside",
    command: "pool",
    args: ["acp"],
    install: see("https://poolside.ai/get-started"),
    login: run("pool login")
  },
  {
    tool: "openclaw",
    name: "OpenClaw",
    command: "openclaw",
    args: ["acp"],
    install: npm("openclaw"),
    login: run("openclaw onboard")
  },
  {
    tool: "hermes",
    name: "Hermes Agent",
    command: "hermes",
    args: ["acp"],
    install: "Install it on the relay's machine: uv tool install \"hermes-agent[acp]\"",
    login: run("hermes setup")
  },
  {
    tool: "trae",
    name: "Trae",
    command: "traecli",
    args: ["acp", "serve"],
    install: see("https://docs.trae.ai"),
    login: runOnce("traecli")
  },
  {
    tool: "cagent",
    name: "Docker cagent",
    command: "cagent",
    args: ["acp"],
    install: see("https://github.com/docker/cagent"),
    login: runOnce("cagent")
  },
  {
    tool: "code-assistant",
    name: "Code Assistant",
    command: "code-assistant",
    args: ["acp"],
    install: see("https://github.com/stippi/code-assistant"),
    login: runOnce("code-assistant")
  },
  {
    tool: "stakpak",
    name: "Stakpak",
    command: "stakpak",
    args: ["acp"],
    install: see("https://github.com/stakpak/agent"),
    login: runOnce("stakpak")
  },
  {
    tool: "codeep",
    name: "Codeep",
    command: "codeep",
    args: ["acp"],
    install: see("https://codeep.dev"),
    login: runOnce("codeep")
  },
  {
    tool: "fast-agent",
    name: "fast-agent",
    command: "fast-agent-acp",
    args: ["-x"],
    defaults: { FAST_AGENT_MODEL: "codexplan" },
    install: see("https://fast-agent.ai"),
    login: run("fast-agent setup")
  },
  {
    tool: "vtcode",
    name: "VT Code",
    command: "vtcode",
    args: ["acp"],
    env: { VT_ACP_ENABLED: "1", VT_ACP_ZED_ENABLED: "1" },
    install: see("https://github.com/vinhnx/VTCode"),
    login: runOnce("vtcode")
  }
]
