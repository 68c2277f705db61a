/**
 * CallIds: the ids clients know tool calls by.
 *
 * Some model servers restart their numbering in every answer (`call_0`, `call_1`, …), and so may each
 * subagent. The first call with an id keeps it; reused once that call is over, or in another thread, it
 * becomes `call_0#2`.
 */
export class CallIds {
  private readonly uses = new Map<string, number>()
  private readonly names = new Set<string>()
  private readonly open = new Map<string, string>()
  private readonly last = new Map<string, string>()
  /** In any thread. */
  private readonly latest = new Map<string, string>()

  /** A call begins, or continues if it is not over yet. */
  announce(native: string, thread = ""): string {
    const key = keyOf(native, thread)
    const open = this.open.get(key)
    if (open !== undefined) return open
    let use = this.uses.get(native) ?? 0
    let name: string
    do {
      use += 1
      name = use === 1 ? native : `${native}#${use}`
    } while (this.names.has(name))
    this.uses.set(native, use)
    this.names.add(name)
    this.open.set(key, name)
    this.last.set(key, name)
    this.latest.set(native, name)
    return name
  }

  /** The call is over: its id may be reused. */
  settle(native: string, thread = ""): void {
    this.open.delete(keyOf(native, thread))
  }

  /** The current or last call with this id: in this thread, otherwise in any. */
  of(native: string, thread = ""): string {
    return this.last.get(keyOf(native, thread)) ?? this.latest.get(native) ?? native
  }
}

const keyOf = (native: string, thread: string) => thread === "" ? native : `${thread}\0${native}`
