/**
 * AgentHold: pauses an agent. Its processes are stopped (SIGSTOP) and later continued (SIGCONT), so that no model call begins
 * meanwhile and no output is lost. An agent without processes (Cortex, replays) cannot be paused; a cap then takes effect at
 * the end of the turn.
 */
import { Context } from "effect"

/** Something that can be paused and resumed: an agent's processes. */
export interface Holdable {
  readonly stop: () => void
  readonly go: () => void
}

export class AgentHold {
  private readonly members = new Set<Holdable>()
  private isHeld = false

  /** Adds processes; if the agent is paused, they are stopped at once. */
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

/** The AgentHold of the session that a program is started for, if it may have to be paused. */
export class SessionHold extends Context.Service<SessionHold, AgentHold>()("ai-relay/services/SessionHold") {}
