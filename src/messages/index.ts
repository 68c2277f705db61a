/**
 * ai-relay/messages: a session's events as a conversation to display. `reduce(view, events)` is pure: the
 * same events give the same view, in batches or one by one, and repeated events change nothing. The console
 * displays exactly this view.
 */
export { whoDrives } from "./driving.js"
export { reduce } from "./reduce.js"
export { choicesOfMode } from "./settings.js"
export { toMarkdown } from "./toMarkdown.js"
export { empty, openAsks } from "./View.js"
export type {
  AskItem,
  AskOption,
  Choice,
  Decided,
  Diff,
  DiffItem,
  Driving,
  EndItem,
  Grant,
  Item,
  NoticeItem,
  OutputItem,
  Person,
  PlanStep,
  Question,
  Running,
  SlashCommand,
  TextItem,
  ToolItem,
  UserItem,
  View
} from "./View.js"
