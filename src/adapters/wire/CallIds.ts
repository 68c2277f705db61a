/**
 * CallIds: the names clients know tool calls by.
 *
 * Some model servers number their calls anew in every answer (`call_0`, `call_1`, …). Each call keeps the agent's own
 * id the first time it is used; used again once that call is over, it becomes `call_0#2`.
 */
export class CallIds {
  private readonly uses = new Map<string, number>()
  private readonly open = new Map<string, string>()

  /** A call begins, or goes on if it is not over yet. */
  announce(native: string): string {
    const open = this.open.get(native)
    if (open !== undefined) return open
    let use = this.uses.get(native) ?? 0
    let id: string
    do {
      use += 1
      id = nameOf(native, use)
    } while (use > 1 && this.uses.has(id))
    this.uses.set(native, use)
    if (use > 1) this.uses.set(id, 1)
    this.open.set(native, id)
    return id
  }

  /** The call is over: its id may be used for another. */
  settle(native: string): void {
    this.open.delete(native)
  }

  /** The call that goes, or went last, by this id. */
  of(native: string): string {
    return this.open.get(native) ?? nameOf(native, this.uses.get(native) ?? 1)
  }
}

const nameOf = (native: string, use: number) => use === 1 ? native : `${native}#${use}`
