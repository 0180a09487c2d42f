import type { NatsConnection } from '@nats-io/nats-core'
import { wsconnect } from '@nats-io/nats-core'
import { EDGE_INBOX } from '@oriel/protocol/permissions'
import { promptSocket } from './prompt-socket.ts'

export interface LinkConfig {
  readonly url: string
  readonly user: string
  readonly password: string
  readonly name: string
}

/** How long a call waits for a broker that is away. A restart takes a second or two. */
const WAIT_MS = 5_000
const RECONNECT_MS = 250

/** One connection to the broker, made when first needed and kept: `connecting → up ⇄ down`, a closed one is made again. */
export class Link {
  #connecting: Promise<NatsConnection> | undefined
  #connection: NatsConnection | undefined
  #up = false
  readonly #config: LinkConfig
  readonly #onUp: (connection: NatsConnection) => void

  /** @param onUp every time the broker is there (again): subscriptions were silent until then */
  constructor(config: LinkConfig, onUp: (connection: NatsConnection) => void) {
    this.#config = config
    this.#onUp = onUp
  }

  /** The connection, if it is up now. */
  get now(): NatsConnection | undefined {
    return this.#up ? this.#connection : undefined
  }

  /** The connection once it is up; `undefined` when it does not come up in time. Nothing was sent then. */
  async connection(waitMs = WAIT_MS): Promise<NatsConnection | undefined> {
    const until = Date.now() + waitMs
    do {
      try {
        const connection = await this.#connect()
        if (this.#up) return connection
      } catch (error) {
        console.warn('the broker cannot be reached', error)
      }
      await scheduler.wait(50)
    } while (Date.now() < until)
    return undefined
  }

  #connect(): Promise<NatsConnection> {
    this.#connecting ??= this.#open().catch((error) => {
      this.#connecting = undefined
      throw error
    })
    return this.#connecting
  }

  async #open(): Promise<NatsConnection> {
    const { url, user, password, name } = this.#config
    const connection = await wsconnect({
      servers: url,
      user,
      pass: password,
      name,
      inboxPrefix: EDGE_INBOX,
      timeout: 2_000,
      pingInterval: 2_500,
      wsFactory: async (server) => ({ socket: promptSocket(server), encrypted: server.startsWith('wss:') }),
      maxReconnectAttempts: -1,
      reconnectTimeWait: RECONNECT_MS,
      reconnectJitter: RECONNECT_MS,
      ignoreAuthErrorAbort: true,
      noAsyncTraces: true,
    })
    this.#isUp(connection)
    void this.#watch(connection)
    return connection
  }

  async #watch(connection: NatsConnection): Promise<void> {
    for await (const status of connection.status()) {
      if (status.type === 'disconnect') this.#up = false
      if (status.type === 'reconnect') this.#isUp(connection)
      if (status.type === 'error') console.warn('the broker says', status.error)
    }
    this.#up = false
    this.#connecting = undefined
  }

  #isUp(connection: NatsConnection): void {
    this.#connection = connection
    this.#up = true
    this.#onUp(connection)
  }
}
