/** What the recorder needs at most to catch up when nothing is wrong, with room. */
const KEEP_MS = 4 * 60_000
const KEEP_CHARS = 8 * 1024 * 1024
const AGAIN_MS = 1_000
/** How many are told at a time. */
const WIDTH = 32

export interface Fact {
  readonly subject: string
  readonly msgID: string
  readonly data: string
}

export interface FactsPort {
  /** @returns whether the broker had it already @throws when it cannot be told */
  publish(fact: Fact): Promise<{ duplicate: boolean }>
  now(): number
  wait(ms: number): Promise<unknown>
}

/**
 * The facts that a relay told lately. A broker that has lost its state took them, and the record may not have them:
 * after every reconnect the last one is told again, and if that was news to the broker, so are all before it. The
 * broker and the record know repeats.
 */
export class RecentFacts {
  readonly #port: FactsPort
  #facts: (Fact & { readonly at: number })[] = []
  #chars = 0
  #round = 0
  /** A round has begun and not come to its end: the broker may lack any of them, whatever it says of the last one. */
  #open = false

  constructor(port: FactsPort) {
    this.#port = port
  }

  get chars(): number {
    return this.#chars
  }

  async tell(fact: Fact): Promise<void> {
    await this.#port.publish(fact)
    this.#facts.push({ ...fact, at: this.#port.now() })
    this.#chars += fact.data.length
    let over = 0
    for (const { at, data } of this.#facts) {
      if (this.#chars <= KEEP_CHARS && at > this.#port.now() - KEEP_MS) break
      this.#chars -= data.length
      over += 1
    }
    if (over > 0) this.#facts.splice(0, over)
  }

  /** After a reconnect. Goes on until the broker has answered for every fact, or is away once more. */
  async check(): Promise<void> {
    this.#round += 1
    const round = this.#round
    const facts = this.#facts.slice()
    const interrupted = this.#open
    const last = facts.pop()
    if (!last) return
    this.#open = true
    const kept = (await this.#sure(last, round)) && !interrupted
    while (!kept && facts.length > 0) {
      await Promise.all(facts.splice(-WIDTH).map((fact) => this.#sure(fact, round)))
    }
    if (round === this.#round) this.#open = false
  }

  /** Tells until it is heard. @returns whether the broker had it already, or another round has begun */
  async #sure(fact: Fact, round: number): Promise<boolean> {
    while (round === this.#round) {
      try {
        return (await this.#port.publish(fact)).duplicate
      } catch {
        await this.#port.wait(AGAIN_MS) // its streams may not be there yet
      }
    }
    return true
  }
}
