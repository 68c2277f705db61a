/**
 * presets: the agents that speak the Agent Client Protocol and that the relay knows by name. To add one, add a line.
 *
 * Commands are those of each agent's own documentation. What has a file of its own was run; the others are here because
 * they are documented, and get no quirks that nobody has seen.
 */
import { geminiAgent } from "../gemini/geminiAgent.js"
import type { AcpAgent } from "./AcpAgent.js"
import { npm, run, runOnce, see } from "./agents/advice.js"
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
    login: run("cortex auth login")
  },
  {
    tool: "goose",
    name: "Goose",
    command: "goose",
    args: ["acp"],
    install: see("https://block.github.io/goose/docs/getting-started/installation"),
    login: run("goose configure")
  },
  {
    tool: "cursor",
    name: "Cursor",
    command: "agent",
    args: ["acp"],
    authenticate: "cursor_login",
    install: see("https://cursor.com/docs/cli/installation"),
    login: run("agent login")
  },
  {
    tool: "kiro",
    name: "Kiro",
    command: "kiro-cli",
    args: ["acp"],
    install: see("https://kiro.dev/docs/cli/installation"),
    login: run("kiro-cli login")
  },
  {
    tool: "auggie",
    name: "Auggie",
    command: "auggie",
    args: ["--acp"],
    env: { AUGMENT_DISABLE_AUTO_UPDATE: "1" },
    install: npm("@augmentcode/auggie"),
    login: run("auggie login")
  },
  {
    tool: "qoder",
    name: "Qoder",
    command: "qodercli",
    args: ["--acp"],
    install: npm("@qoder-ai/qodercli"),
    login: runOnce("qodercli")
  },
  {
    tool: "codebuddy",
    name: "CodeBuddy Code",
    command: "codebuddy",
    args: ["--acp"],
    install: see("https://cloud.tencent.com/document/product/1831/137021"),
    login: runOnce("codebuddy")
  },
  {
    tool: "droid",
    name: "Factory Droid",
    command: "droid",
    args: ["exec", "--output-format", "acp"],
    env: { DROID_DISABLE_AUTO_UPDATE: "true", FACTORY_DROID_AUTO_UPDATE_ENABLED: "false" },
    install: see("https://docs.factory.ai/cli/getting-started/quickstart"),
    login: runOnce("droid")
  },
  {
    tool: "mistral-vibe",
    name: "Mistral Vibe",
    command: "vibe-acp",
    args: [],
    install: "Install it on the relay's machine: uv tool install mistral-vibe",
    login: runOnce("vibe")
  }
]
