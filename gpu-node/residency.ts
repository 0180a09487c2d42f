import { ProblemError } from '@oriel/protocol/problem'
import type { Clock } from './clock.ts'
import { chooseVictims } from './eviction.ts'
import { type Copy, ModelMemory } from './model-memory.ts'
import { orAborted } from './or-aborted.ts'

/** As ModelMesh's `minChurnAgeMs`, ten times the time of a load: loading never takes more than a part of the time. */
const STAY_PER_LOAD = 10
const LONGEST_STAY_MS = 60_000
const MAX_WAIT_MS = 10_000

export interface ResidencyOptions<Host> {
  /** Of all models together. */
  readonly budgetBytes: number
  readonly clock: Clock
  /** How long a model may wait for room before those who want it are refused. */
  readonly maxWaitMs?: number
  /** Takes a model that nobody uses out of a host's memory. Resolves when the memory is free; never rejects. */
  readonly unload: (session: string, host: Host) => Promise<void>
}

export interface Wanted<Host> {
  readonly model: string
  /** Of its files: it takes no less. */
  readonly bytes: number
  /** Never thrown out. */
  readonly pinned: boolean
  /** Called when there is room. */
  readonly choose: () => Host
  /**
   * @param session what it is called there
   * @returns the memory that it took, and how long it would take again
   */
  readonly load: (host: Host, session: string) => Promise<{ readonly bytes: number; readonly tookMs: number }>
  /** It is thrown out to make room for another. */
  readonly onEvicted: () => void
}

/** The right to use a model where it is: there it stays until the release. */
export interface Lease<Host> {
  readonly host: Host
  /** What the model is called there. */
  readonly session: string
  /** The host was lost meanwhile. */
  readonly isLost: boolean
  /** Once. */
  release(): void
}

interface Wait<Host> extends Copy<Host> {
  readonly wanted: Wanted<Host>
  readonly refuseAt: number
  readonly loaded: PromiseWithResolvers<void>
  /** It has been tried to load it in another host, too. */
  moved: boolean
}

/**
 * Which models are in memory, and in which host.
 *
 *     absent ──acquire──▶ waiting ──room──▶ loading ──loaded──▶ resident ──room is needed──▶ leaving ──freed──▶ absent
 *                            └──none in time──▶ absent ◀──failed──┘
 *
 * A model is loaded once, however many ask for it at a time. When there is no room for it, those go that were used
 * longest ago and that nobody uses now; but what was loaded moments ago stays for ten times as long as its loading
 * took. Those who wait for room get it in the order in which they came, and are refused when it takes too long.
 */
export class Residency<Host> {
  readonly #options: Required<ResidencyOptions<Host>>
  readonly #memory: ModelMemory<Host, Wait<Host>>
  #queue: Wait<Host>[] = []
  readonly #recycled = new Set<Host>()
  /** What models took when they were last in memory. */
  readonly #measured = new Map<string, number>()
  #copies = 0
  #cancelTimer = () => {}

  constructor(options: ResidencyOptions<Host>) {
    this.#options = { maxWaitMs: MAX_WAIT_MS, ...options }
    this.#memory = new ModelMemory(options.budgetBytes)
  }

  /** Memory that models have, or are about to have. */
  get usedBytes(): number {
    return this.#memory.usedBytes
  }

  isResident(model: string): boolean {
    return this.#memory.find(model)?.mode === 'resident'
  }

  /** The models that a host gives to whoever asks, the least recently used first. */
  residents(host: Host): string[] {
    return this.#memory.residents().flatMap((copy) => (copy.host === host ? [copy.model] : []))
  }

  /** What a host holds, whether it comes, stays or goes. */
  load(host: Host): { readonly models: number; readonly bytes: number } {
    const held = this.#memory.on(host)
    return { models: held.length, bytes: held.reduce((sum, { bytes }) => sum + bytes, 0) }
  }

  /** Whether so much could be loaded now without another being thrown out. */
  hasRoom(bytes: number): boolean {
    return this.#queue.length === 0 && this.#memory.hasRoom(bytes)
  }

  /** A model that is in memory. */
  take(model: string): Lease<Host> | undefined {
    const copy = this.#memory.find(model)
    if (copy?.mode !== 'resident') return undefined
    copy.users++
    return this.#lease(copy)
  }

  /**
   * The same, after loading it if need be.
   * @throws ProblemError queue-full: no room for it in time; model-unavailable: it is larger than all of the memory;
   *   or what `load` threw, to everyone who waited for it: the next to ask tries again; `AbortError`
   */
  async acquire(wanted: Wanted<Host>, signal?: AbortSignal): Promise<Lease<Host>> {
    const copy = this.#memory.find(wanted.model) ?? this.#enqueue(wanted)
    copy.users++
    try {
      await orAborted(copy.loaded.promise, signal)
    } catch (error) {
      this.#release(copy)
      throw error
    }
    return this.#lease(copy)
  }

  /** Nobody gets the model any more. Resolves when it is out of memory, after the last who use it. */
  async forget(model: string): Promise<void> {
    const copy = this.#memory.find(model)
    this.#measured.delete(model)
    if (!copy) return
    this.#retire(copy)
    await copy.gone.promise
  }

  /** A model has grown while it ran. @param bytes that it takes now */
  grew(session: string, host: Host, bytes: number): void {
    const copy = this.#memory.on(host).find((copy) => copy.session === session)
    if (copy?.mode !== 'resident') return
    this.#measure(copy, bytes)
    this.#serve()
  }

  /** The host is gone, and with it what it had or was loading. */
  drop(host: Host): void {
    for (const copy of this.#memory.on(host)) this.#memory.free(copy)
    this.#serve()
  }

  /**
   * Empties a host, which is no longer chosen. While there is room, what it has is loaded into another before it goes;
   * else it goes when nobody uses it. Those who use it end in peace.
   */
  async recycle(host: Host): Promise<void> {
    this.#recycled.add(host)
    this.#serve()
    for (let [copy] = this.#memory.on(host); copy; [copy] = this.#memory.on(host)) await copy.gone.promise
    this.#recycled.delete(host)
  }

  /** Nobody waits for room any more. */
  close(): void {
    this.#cancelTimer()
    for (const copy of this.#queue.splice(0)) this.#fail(copy, this.#noRoom(undefined))
  }

  #enqueue(wanted: Wanted<Host>): Wait<Host> {
    const copy = this.#newCopy(wanted)
    this.#memory.show(copy)
    if (wanted.bytes > this.#memory.budgetBytes) this.#fail(copy, this.#tooLarge(wanted.bytes))
    else this.#queue.push(copy)
    this.#serve()
    return copy
  }

  #newCopy(wanted: Wanted<Host>): Wait<Host> {
    const { budgetBytes, clock, maxWaitMs } = this.#options
    const { model, bytes } = wanted
    const loaded = Promise.withResolvers<void>()
    loaded.promise.catch(() => {}) // it may be that nobody waits for it any more
    return {
      model,
      session: `${model}:${++this.#copies}`,
      wanted,
      mode: 'waiting',
      bytes: Math.max(bytes, Math.min(budgetBytes, this.#measured.get(model) ?? 0)),
      host: undefined,
      users: 0,
      staysUntil: 0,
      refuseAt: clock.now() + maxWaitMs,
      moved: false,
      loaded,
      gone: Promise.withResolvers(),
    }
  }

  /** Lets in whoever there is room for, in order. To be called whenever there may be more room, or less. */
  #serve(): void {
    this.#cancelTimer()
    // What has grown beyond what was expected is made up for before anything comes in, whenever it was loaded.
    if (this.#memory.over() > 0) this.#shrink()
    for (let head = this.#queue[0]; head; head = this.#queue[0]) {
      const outcome = this.#makeRoom(head)
      if (outcome === 'waits') break
      this.#queue.shift()
      if (outcome === 'room') this.#start(head)
      else this.#fail(head, outcome)
    }
    for (const host of this.#recycled) this.#empty(host)
  }

  #shrink(): void {
    for (const copy of this.#memory.idle()) {
      if (this.#memory.over() <= 0) return
      if (copy.staysUntil < Number.POSITIVE_INFINITY) this.#evict(copy)
    }
  }

  #makeRoom({ bytes, refuseAt }: Wait<Host>): 'room' | 'waits' | ProblemError {
    const { clock } = this.#options
    const now = clock.now()
    const need = this.#memory.over(bytes)
    const choice = need > 0 ? chooseVictims(this.#memory.idle(), need, now) : { victims: [] }
    if ('victims' in choice) {
      for (const copy of choice.victims) this.#evict(copy)
      return this.#memory.hasRoom(bytes) ? 'room' : 'waits' // until they have left
    }
    if (refuseAt <= now) return this.#noRoom(choice.at)
    const at = Math.min(refuseAt, choice.at ?? refuseAt)
    this.#cancelTimer = clock.setTimer(at - now, () => this.#serve())
    return 'waits'
  }

  #start(copy: Wait<Host>): void {
    const { clock, budgetBytes } = this.#options
    const { wanted } = copy
    const host = wanted.choose()
    this.#memory.hold(copy, host)
    wanted.load(host, copy.session).then(
      ({ bytes, tookMs }) => {
        // While it was loaded it may have been lost with its host.
        if (copy.mode !== 'loading') return copy.loaded.resolve()
        copy.mode = 'resident'
        this.#measure(copy, bytes)
        if (copy.bytes > budgetBytes) {
          copy.loaded.reject(this.#tooLarge(copy.bytes))
          return this.#leave(copy)
        }
        const now = clock.now()
        const stayMs = Math.min(LONGEST_STAY_MS, STAY_PER_LOAD * tookMs)
        copy.staysUntil = wanted.pinned ? Number.POSITIVE_INFINITY : now + stayMs
        copy.loaded.resolve()
        this.#settle(copy)
        this.#serve()
      },
      (error) => {
        this.#fail(copy, error)
        this.#serve()
      },
    )
  }

  #fail(copy: Wait<Host>, error: unknown): void {
    this.#memory.free(copy)
    copy.loaded.reject(error)
  }

  #measure(copy: Wait<Host>, bytes: number): void {
    this.#memory.resize(copy, Math.max(copy.wanted.bytes, bytes))
    if (this.#memory.isCurrent(copy)) this.#measured.set(copy.model, copy.bytes)
  }

  #lease(copy: Wait<Host>): Lease<Host> {
    this.#memory.touch(copy)
    return {
      host: copy.host as Host,
      session: copy.session,
      get isLost() {
        return copy.mode === 'gone'
      },
      release: () => this.#release(copy),
    }
  }

  #release(copy: Wait<Host>): void {
    copy.users--
    if (copy.users > 0) return
    this.#memory.touch(copy)
    if (copy.mode === 'waiting') this.#giveUp(copy)
    this.#settle(copy)
    if (this.#queue.length > 0 || this.#memory.over() > 0 || this.#recycled.size > 0) this.#serve()
  }

  #giveUp(copy: Wait<Host>): void {
    this.#queue = this.#queue.filter((other) => other !== copy)
    this.#fail(copy, this.#noRoom(undefined))
    this.#serve()
  }

  #retire(copy: Wait<Host>): void {
    this.#memory.hide(copy)
    this.#settle(copy)
  }

  /** What is not found any more goes when nobody uses it. */
  #settle(copy: Wait<Host>): void {
    if (copy.mode === 'resident' && copy.users === 0 && !this.#memory.isCurrent(copy)) this.#leave(copy)
  }

  #empty(host: Host): void {
    for (const copy of this.#memory.on(host).reverse()) {
      if (copy.mode !== 'resident' || !this.#memory.isCurrent(copy)) continue
      const hasRoom = this.#queue.length === 0 && this.#memory.hasRoom(copy.bytes)
      if (hasRoom && !copy.moved) void this.#move(copy)
      else if (copy.users === 0) this.#leave(copy)
    }
  }

  /** Whoever asks meanwhile gets it where it was. */
  async #move(from: Wait<Host>): Promise<void> {
    from.moved = true
    from.users++
    const copy = this.#newCopy(from.wanted)
    copy.users++
    this.#start(copy)
    try {
      await copy.loaded.promise
      // What was let go of meanwhile is not brought back.
      if (this.#memory.isCurrent(from) && copy.mode === 'resident') this.#memory.show(copy)
    } catch {
      // Whoever asks for it next is told.
    } finally {
      this.#release(copy)
      this.#release(from)
    }
  }

  #evict(copy: Wait<Host>): void {
    copy.wanted.onEvicted()
    this.#leave(copy)
  }

  #leave(copy: Wait<Host>): void {
    this.#memory.leave(copy)
    void this.#options.unload(copy.session, copy.host as Host).then(() => {
      this.#memory.free(copy)
      this.#serve()
    })
  }

  #noRoom(at: number | undefined): ProblemError {
    const detail = 'No memory for the model on this node: what is in it is in use, or was loaded moments ago.'
    const retryAfterMs = at === undefined ? 1_000 : Math.max(0, Math.ceil(at - this.#options.clock.now()))
    return new ProblemError({ kind: 'queue-full', detail, retryAfterMs })
  }

  #tooLarge(bytes: number): ProblemError {
    const mb = (value: number) => Math.ceil(value / 1e6)
    const detail = `The model takes ${mb(bytes)} MB of memory; this node has ${mb(this.#options.budgetBytes)} MB for all models.`
    return new ProblemError({ kind: 'model-unavailable', detail })
  }
}
