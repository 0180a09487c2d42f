import type { Clock } from './clock.ts'
import type { StartHost } from './host/host-process.ts'
import { SupervisedHost } from './host/supervised-host.ts'

export interface HostChange {
  readonly host: string
  /** Of the new process; undefined while there is none. */
  readonly pid: number | undefined
  /** Of a host that was lost: `hung`, `signal SIGSEGV`, `exit code 1`. */
  readonly why?: string
}

export interface HostFleetOptions {
  /** How many hosts share the models. */
  readonly hosts: number
  /** A model of so many bytes has a host of its own. */
  readonly ownHostBytes: number
  readonly start: StartHost
  readonly clock: Clock
  /** What the models in a host take, and how many they are. */
  readonly load: (host: SupervisedHost) => { readonly models: number; readonly bytes: number }
  readonly onLost: (host: SupervisedHost) => void
  readonly onGrew: (host: SupervisedHost, session: string, bytes: number) => void
  readonly onChange: (change: HostChange) => void
  readonly onLine: (host: string, line: string) => void
}

/**
 * The processes that run models.
 *
 * To load a model holds its host's thread, about a second for each gigabyte. Small models share a few hosts; a large
 * one has a host of its own, which nobody waits for while it is loaded, and which gives its memory back when it ends.
 */
export class HostFleet {
  readonly #options: HostFleetOptions
  readonly #shared: SupervisedHost[]
  readonly #own = new Set<SupervisedHost>()
  /** They are given nothing more. */
  readonly #leaving = new Set<SupervisedHost>()
  #opened = 0

  constructor(options: HostFleetOptions) {
    this.#options = options
    this.#shared = Array.from({ length: options.hosts }, () => this.open('host'))
  }

  get all(): readonly SupervisedHost[] {
    return [...this.#shared, ...this.#own, ...this.#leaving]
  }

  /** Where to load a model: into a host that is up and idle, if there is one, and then the one with the least in it. */
  choose(bytes: number): SupervisedHost {
    if (bytes >= this.#options.ownHostBytes) {
      const host = this.open('own')
      this.#own.add(host)
      return host
    }
    const rank = (host: SupervisedHost) => {
      const { models, bytes } = this.#options.load(host)
      return [host.pid === undefined ? 1 : 0, host.busy > 0 ? 1 : 0, bytes, models, host.busy]
    }
    const [first, ...rest] = this.#shared
    if (!first) throw new Error('a pool without hosts')
    return rest.reduce((best, host) => (isLess(rank(host), rank(best)) ? host : best), first)
  }

  /** Of a host that has one model only. */
  isOwn(host: SupervisedHost): boolean {
    return this.#own.has(host)
  }

  /** It is given no more models, and another takes its place. Whoever calls this closes it. */
  retire(host: SupervisedHost): void {
    this.#leaving.add(host)
    this.#own.delete(host)
    const index = this.#shared.indexOf(host)
    if (index >= 0) this.#shared[index] = this.open('host')
  }

  isLeaving(host: SupervisedHost): boolean {
    return this.#leaving.has(host)
  }

  async close(host: SupervisedHost): Promise<void> {
    await host.close()
    this.#own.delete(host)
    this.#leaving.delete(host)
  }

  /** What still runs in them is rejected. */
  async closeAll(): Promise<void> {
    await Promise.all(this.all.map((host) => host.close()))
  }

  open(kind: 'host' | 'own' | 'quarantine'): SupervisedHost {
    const { start, clock, onLost, onGrew, onChange, onLine } = this.#options
    const name = `${kind}-${++this.#opened}`
    const host: SupervisedHost = new SupervisedHost({
      name,
      start,
      clock,
      onLine: (line) => onLine(name, line),
      onStarted: (pid) => onChange({ host: name, pid }),
      onGrew: (session, bytes) => onGrew(host, session, bytes),
      onLost: (why) => {
        onLost(host)
        // Its one model is loaded into another, when somebody asks for it.
        if (this.isOwn(host)) queueMicrotask(() => void this.close(host))
        onChange({ host: name, pid: undefined, why })
      },
    })
    return host
  }
}

const isLess = (a: readonly number[], b: readonly number[]): boolean => {
  const at = a.findIndex((value, index) => value !== b[index])
  return at >= 0 && (a[at] ?? 0) < (b[at] ?? 0)
}
