import { mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'

/** Where things are in the state folder. Everything of a stack is in it, and nothing of two stacks is shared. */
export class StateDir {
  readonly path: string

  constructor(path: string) {
    this.path = resolve(path)
  }

  /** Makes the folders; others on the machine may not look inside. */
  create(): void {
    mkdirSync(this.path, { recursive: true, mode: 0o700 })
    for (const folder of [this.logs, this.edge]) mkdirSync(folder, { recursive: true })
  }

  readonly #in = (...names: string[]) => join(this.path, ...names)

  get lock() {
    return this.#in('lock')
  }
  get secrets() {
    return this.#in('secrets.json')
  }
  get ports() {
    return this.#in('ports.json')
  }
  /** What runs now: for `status`, and for the next start should this one be killed. */
  get run() {
    return this.#in('run.json')
  }
  get logs() {
    return this.#in('logs')
  }
  log(part: string) {
    return join(this.logs, `${part}.log`)
  }
  get natsConfig() {
    return this.#in('nats-server.conf')
  }
  get jetstream() {
    return this.#in('jetstream')
  }
  get postgres() {
    return this.#in('postgres')
  }
  /** Of a node: files of registered models. */
  cache(node: string) {
    return this.#in('cache', node)
  }
  get edge() {
    return this.#in('edge')
  }
}
