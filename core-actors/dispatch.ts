import type { Problem } from '@oriel/protocol/problem'
import { acceptedOf, jobOf } from './job-of.ts'
import type { Order, RelayPort } from './relay-port.ts'
import type { OpenRequest } from './request.ts'
import { loadDispatch, loadUnsure, storeDispatch, storeUnsure } from './request-store.ts'

/** What the broker was sent of a request, and what is known of it there. */
export class Dispatch {
  readonly #kv: SyncKvStorage
  readonly #relayOf: (request: OpenRequest) => Pick<RelayPort, 'submit' | 'accept'>
  readonly #doubted: () => void
  #number: number
  #unsure: boolean
  #sentAt: number | undefined
  #begun = false

  /** @param doubted it is unsure from now on: what is to be done about that must be done soon */
  constructor(
    kv: SyncKvStorage,
    relayOf: (request: OpenRequest) => Pick<RelayPort, 'submit' | 'accept'>,
    doubted: () => void,
  ) {
    this.#kv = kv
    this.#relayOf = relayOf
    this.#doubted = doubted
    this.#number = loadDispatch(kv)
    this.#unsure = loadUnsure(kv)
  }

  /** The broker did not confirm the job or the fact. */
  get unsure(): boolean {
    return this.#unsure
  }

  /** The broker was known to have the log. */
  get begun(): boolean {
    return this.#begun
  }

  /** When the job was last sent from here. */
  get sentAt(): number | undefined {
    return this.#sentAt
  }

  /** The job went to the broker more than once under different ids: its log may have begun anew. */
  get renewed(): boolean {
    return this.#number > 1
  }

  job(request: OpenRequest): Order['job'] {
    return jobOf(request, this.#number)
  }

  /**
   * Sends the job, and the fact that it was accepted. A problem means that nothing was accepted; what is
   * uncertain is noted, and sent again by the alarm.
   */
  async send(request: OpenRequest): Promise<Problem | undefined> {
    try {
      const at = Date.now()
      const order = { job: this.job(request), accepted: acceptedOf(request) }
      const outcome = await this.#relayOf(request).submit(order)
      if (!outcome.ok) return outcome.problem
      this.#setUnsure(!outcome.certain)
      if (!outcome.certain) return undefined
      this.#begun = true
      this.#sentAt = at
    } catch (error) {
      console.warn('the relay broke during a submit; the alarm will send the job again', error)
      this.#setUnsure(true)
    }
    return undefined
  }

  /** Sends the fact alone again. */
  async accept(request: OpenRequest): Promise<void> {
    const outcome = await this.#relayOf(request).accept(acceptedOf(request))
    if (outcome.ok) this.#setUnsure(false)
  }

  /** What is sent next is no repeat of what was sent before. @param last number of the last one that is known of */
  renew(last = this.#number): void {
    this.#number = Math.max(this.#number, last) + 1
    storeDispatch(this.#kv, this.#number)
  }

  /** The broker has the log. */
  seen(): void {
    this.#begun = true
  }

  confirmed(): void {
    this.#setUnsure(false)
    this.#begun = true
  }

  doubt(): void {
    this.#setUnsure(true)
  }

  /** There is nothing that the broker should have. */
  drop(): void {
    this.#setUnsure(false)
  }

  /** As before the first one; what is stored goes with the request. */
  forget(): void {
    this.#number = 1
    this.#unsure = false
    this.#begun = false
    this.#sentAt = undefined
  }

  #setUnsure(unsure: boolean): void {
    if (this.#unsure === unsure) return
    this.#unsure = unsure
    storeUnsure(this.#kv, unsure)
    if (unsure) this.#doubted() // it may have ended meanwhile
  }
}
