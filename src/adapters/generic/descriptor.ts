/**
 * descriptor: any program on a terminal, given by its `command` or, if the operator allows it, by its own
 * name.
 */
import type { AgentDescriptor } from "../AgentDescriptor.js"
import { install, mayBeTool } from "./GenericLaunch.js"

export const generic: AgentDescriptor = {
  tool: "generic",
  name: "Any program on a terminal",
  label: "Terminal",
  install,
  login: "",
  terminal: true,
  opens: (tool, { allow_programs }) => mayBeTool(tool, allow_programs),
  adapter: () => import("./GenericAdapter.js")
}
