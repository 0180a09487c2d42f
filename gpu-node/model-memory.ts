/**
 * A model on its way into a host, in it, or on its way out.
 *
 *     waiting ──room──▶ loading ──▶ resident ──▶ leaving ──▶ gone
 */
export interface Copy<Host> {
  readonly model: string
  /** Its name in its host, which no other copy has: one may come while another of the same model goes. */
  readonly session: string
  mode: 'waiting' | 'loading' | 'resident' | 'leaving' | 'gone'
  /** What it takes, or will take as far as is known. */
  bytes: number
  host: Host | undefined
  /** Leases, and those who wait for one. */
  users: number
  /** ms since the epoch; infinity: pinned. */
  staysUntil: number
  readonly gone: PromiseWithResolvers<void>
}

/** What models take of a node's memory, and which of them is given to whoever asks. */
export class ModelMemory<Host, C extends Copy<Host>> {
  readonly budgetBytes: number
  /** What a model is found by, the least recently used first. */
  readonly #current = new Map<string, C>()
  /** All that take memory. */
  readonly #held = new Set<C>()
  #used = 0
  #leaving = 0

  constructor(budgetBytes: number) {
    this.budgetBytes = budgetBytes
  }

  get usedBytes(): number {
    return this.#used
  }

  /** Bytes over the budget with `bytes` more, when those that are on their way out have left; negative: room. */
  over(bytes = 0): number {
    return this.#used - this.#leaving + bytes - this.budgetBytes
  }

  /** Whether there is room now. */
  hasRoom(bytes: number): boolean {
    return this.#used + bytes <= this.budgetBytes
  }

  find(model: string): C | undefined {
    return this.#current.get(model)
  }

  isCurrent(copy: C): boolean {
    return this.#current.get(copy.model) === copy
  }

  /** From now on the model is found here. */
  show(copy: C): void {
    this.#current.delete(copy.model)
    this.#current.set(copy.model, copy)
  }

  /** It was used now. */
  touch(copy: C): void {
    if (this.isCurrent(copy)) this.show(copy)
  }

  /** It is not found any more. */
  hide(copy: C): void {
    if (this.isCurrent(copy)) this.#current.delete(copy.model)
  }

  hold(copy: C, host: Host): void {
    copy.mode = 'loading'
    copy.host = host
    this.#held.add(copy)
    this.#used += copy.bytes
  }

  resize(copy: C, bytes: number): void {
    if (this.#held.has(copy)) this.#used += bytes - copy.bytes
    copy.bytes = bytes
  }

  leave(copy: C): void {
    this.hide(copy)
    copy.mode = 'leaving'
    this.#leaving += copy.bytes
  }

  /** Its memory is free, if it had any. */
  free(copy: C): void {
    if (copy.mode === 'gone') return
    this.hide(copy)
    if (copy.mode === 'leaving') this.#leaving -= copy.bytes
    if (this.#held.delete(copy)) this.#used -= copy.bytes
    copy.mode = 'gone'
    copy.gone.resolve()
  }

  /** What is found and nobody uses, the least recently used first. */
  idle(): C[] {
    return this.residents().filter((copy) => copy.users === 0)
  }

  /** What is found in memory, the least recently used first. */
  residents(): C[] {
    return [...this.#current.values()].filter((copy) => copy.mode === 'resident')
  }

  /** All that a host holds, whether it comes, stays or goes. */
  on(host: Host): C[] {
    return [...this.#held].filter((copy) => copy.host === host)
  }
}
