import { ProblemError } from '@oriel/protocol/problem'
import * as v from 'valibot'
import type { Clock } from './clock.ts'
import { GraphSignature } from './graph-signature.ts'
import type { StartHost } from './host/host-process.ts'
import { SupervisedHost } from './host/supervised-host.ts'
import type { LocalModel } from './model-runner.ts'

const PING_MS = 1_000
/** ms. How long a graph may hold the thread while it is read. */
const HANG_MS = 60_000

export interface GraphInspectorOptions {
  readonly start: StartHost
  readonly clock: Clock
  readonly onLine?: (line: string) => void
}

/**
 * Reads what graphs say of themselves, one at a time, in a host of its own that is there only while there are graphs to
 * read: a file that ends its process takes no prediction with it.
 */
export class GraphInspector {
  readonly #options: GraphInspectorOptions
  #last: Promise<unknown> = Promise.resolve()
  #waiting = 0
  #works = 0
  #host: SupervisedHost | undefined
  #stopPings = () => {}

  constructor(options: GraphInspectorOptions) {
    this.#options = options
  }

  /**
   * @param file absolute path
   * @throws ProblemError model-unavailable: why the runtime does not take it
   */
  inspect(file: string): Promise<GraphSignature> {
    return this.#inTurn((host) => this.#inspect(host, file))
  }

  /**
   * Loads a model as it is loaded to run, and lets go of it.
   * @throws ProblemError model-unavailable, model-damaged: why it could not run; host-crashed, host-hung
   */
  open(model: LocalModel): Promise<void> {
    return this.#inTurn(async (host) => {
      const { manifest, dir } = model
      const work = ++this.#works
      const name = `check-${work}`
      await host.perform({ type: 'load', work, model: name, dir, manifest }, manifest.limits.hangMs)
      await host.unload(name)
    })
  }

  #inTurn<T>(work: (host: SupervisedHost) => Promise<T>): Promise<T> {
    this.#waiting++
    const turn = this.#last
      .then(() => {
        this.#host ??= this.#open()
        return work(this.#host)
      })
      .finally(() => this.#settle())
    this.#last = turn.catch(() => {}) // the caller has the error; the next graph has no part in it
    return turn
  }

  async close(): Promise<void> {
    this.#stopPings()
    await this.#host?.close()
    await this.#last
  }

  async #inspect(host: SupervisedHost, file: string): Promise<GraphSignature> {
    let response: unknown
    await host.perform({ type: 'inspect', work: ++this.#works, file }, HANG_MS, (output) => {
      response = output.response
    })
    const signature = v.safeParse(GraphSignature, response)
    if (signature.success) return signature.output
    throw new ProblemError({ kind: 'model-unavailable', detail: 'The graph has inputs or outputs of no known form.' })
  }

  async #settle(): Promise<void> {
    if (--this.#waiting > 0) return
    this.#stopPings()
    const host = this.#host
    this.#host = undefined
    await host?.close()
  }

  #open(): SupervisedHost {
    const { start, clock, onLine = () => {} } = this.#options
    const host = new SupervisedHost({ name: 'inspector', start, clock, onLine, onLost() {}, onStarted() {} })
    const ping = () => {
      this.#stopPings = clock.setTimer(PING_MS, () => {
        host.check(PING_MS)
        ping()
      })
    }
    ping()
    return host
  }
}
