import type { HostProcess, HostProcessEvents, StartHost } from '../host-process.ts'
import type { FromHost, ToHost } from '../messages.ts'

/** A host process that a test plays by hand. */
export class FakeHost implements HostProcess {
  readonly pid: number
  readonly received: ToHost[] = []
  readonly #events: HostProcessEvents
  readonly #exit = Promise.withResolvers<void>()
  readonly exited = this.#exit.promise
  killed = false
  /** Whether it answers pings. */
  alive = true
  current = 0

  constructor(pid: number, events: HostProcessEvents) {
    this.pid = pid
    this.#events = events
  }

  send(message: ToHost): void {
    this.received.push(message)
    if (message.type === 'ping' && this.alive) this.say({ type: 'pong', rssBytes: 1000 })
  }

  say(message: FromHost): void {
    this.#events.onMessage(message)
  }

  kill(): void {
    this.killed = true
    this.die('signal SIGKILL')
  }

  currentWork(): number {
    return this.current
  }

  die(how: string): void {
    this.#exit.resolve()
    this.#events.onExit(how)
  }

  /** Everything of a type that it was sent. */
  all<T extends ToHost['type']>(type: T): Extract<ToHost, { type: T }>[] {
    return this.received.filter((message): message is Extract<ToHost, { type: T }> => message.type === type)
  }
}

export function fakeHosts(): { readonly processes: FakeHost[]; readonly start: StartHost } {
  const processes: FakeHost[] = []
  const start: StartHost = (events) => {
    const process = new FakeHost(processes.length + 1, events)
    processes.push(process)
    return process
  }
  return { processes, start }
}
