/**
 * AgentHold: holds an agent still. Its processes are stopped by the system (SIGSTOP) and go on where they were (SIGCONT):
 * no model call begins meanwhile, and nothing it was about to say is lost. An agent without processes of its own (Cortex,
 * replays) cannot be held; there a cap acts at the end of the turn.
 */
import { Context } from "effect"

/** Something that can be stopped and let go on: an agent's processes. */
export interface Holdable {
  readonly stop: () => void
  readonly go: () => void
}

export class AgentHold {
  private readonly members = new Set<Holdable>()
  private isHeld = false

  /** What is added while the agent is held is stopped at once. */
  add(member: Holdable): void {
    this.members.add(member)
    if (this.isHeld) member.stop()
  }

  remove(member: Holdable): void {
    this.members.delete(member)
  }

  stop(): void {
    this.isHeld = true
    for (const member of this.members) member.stop()
  }

  go(): void {
    if (!this.isHeld) return
    this.isHeld = false
    for (const member of this.members) member.go()
  }
}

/** The hold of the session a program is started for, if somebody may want to hold it. */
export class SessionHold extends Context.Service<SessionHold, AgentHold>()("ai-relay/services/SessionHold") {}
