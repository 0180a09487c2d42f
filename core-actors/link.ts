import type { NatsConnection } from '@nats-io/nats-core'
import { Calls } from './calls.ts'
import { promptConnection } from './prompt-connection.ts'

/** How long calls wait for a broker that has just gone away: a restart takes a second or two. Then they fail at once. */
const WAIT_MS = 5_000
/** After a connection that was closed for good. */
const AGAIN_MS = 250
/** Calls that are under way at a time. */
const MAX_CALLS = 512

// Modes:
//
//   new ──the first call──▶ away ──connected──▶ up ──the connection breaks, or is found half open──▶ away
//
// In `away` all calls share one wait, which begins with the mode: whatever waits for a broker has no timer of its own.
type Mode =
  | { readonly kind: 'new' }
  | { readonly kind: 'away'; readonly patience: Promise<unknown> }
  | { readonly kind: 'up'; readonly connection: NatsConnection }

/** One connection to the broker, made when first needed and kept; a broken one is made again. */
export class Link {
  #mode: Mode = { kind: 'new' }
  #back = Promise.withResolvers<void>()
  readonly #calls = new Calls(MAX_CALLS)
  readonly #connect: () => Promise<NatsConnection>
  readonly #onUp: (connection: NatsConnection) => void
  readonly #onGivenUp: () => void
  readonly #wait: (ms: number) => Promise<unknown>

  /**
   * @param connect tries until there is a connection, which then connects again by itself
   * @param onUp every time the broker is there (again): subscriptions were silent until then
   * @param onGivenUp every time it has been away for so long that calls wait for it no more
   */
  constructor(
    connect: () => Promise<NatsConnection>,
    onUp: (connection: NatsConnection) => void,
    onGivenUp: () => void,
    wait: (ms: number) => Promise<unknown>,
  ) {
    this.#connect = connect
    this.#onUp = onUp
    this.#onGivenUp = onGivenUp
    this.#wait = wait
  }

  /** The connection, if it is up now. */
  get now(): NatsConnection | undefined {
    return this.#mode.kind === 'up' ? this.#mode.connection : undefined
  }

  /** The connection once it is up; `undefined` when the broker has been away for too long. Nothing was sent then. */
  async connection(): Promise<NatsConnection | undefined> {
    if (this.#mode.kind === 'new') this.#begin()
    if (this.#mode.kind === 'away') await this.#mode.patience
    return this.now
  }

  /** Resolves when the broker is there, however long that takes. */
  async back(): Promise<void> {
    if (this.#mode.kind === 'new') this.#begin()
    if (this.#mode.kind === 'away') await this.#back.promise
  }

  #begin(): void {
    this.#isAway()
    void this.#run()
  }

  async #run(): Promise<void> {
    for (;;) {
      try {
        const connection = await this.#connect()
        const prompt = promptConnection(connection, this.#calls)
        this.#isUp(prompt)
        for await (const status of connection.status()) {
          if (status.type === 'disconnect' || status.type === 'staleConnection') this.#isAway()
          if (status.type === 'reconnect') this.#isUp(prompt)
          if (status.type === 'error') console.warn('the broker says', status.error)
        }
      } catch (error) {
        console.warn('the broker cannot be reached', error)
      }
      this.#isAway()
      await this.#wait(AGAIN_MS)
    }
  }

  #isUp(connection: NatsConnection): void {
    this.#mode = { kind: 'up', connection }
    this.#back.resolve()
    this.#onUp(connection)
  }

  #isAway(): void {
    if (this.#mode.kind === 'away') return
    this.#back = Promise.withResolvers()
    const back = this.#back.promise.then(() => true)
    const patience = Promise.race([back, this.#wait(WAIT_MS).then(() => false)])
    this.#mode = { kind: 'away', patience }
    void patience.then((isBack) => {
      if (!isBack) this.#onGivenUp()
    })
    this.#calls.lost()
  }
}
