/** descriptor: Snowflake Cortex, which is reached over the network. */
import type { AgentDescriptor } from "../AgentDescriptor.js"

export const cortex: AgentDescriptor = {
  tool: "cortex",
  name: "Snowflake Cortex",
  install: "",
  login: "Start the relay with SNOWFLAKE_PAT set to a programmatic access token of Snowflake.",
  signs: { variables: ["SNOWFLAKE_PAT"] },
  credentials: ({ cortex_token_env }) => ["SNOWFLAKE_PAT", ...cortex_token_env],
  provider: "snowflake",
  adapter: () => import("./CortexAdapter.js")
}
