import { closeSync, existsSync, openSync, readdirSync, readSync, statSync } from 'node:fs'
import { join } from 'node:path'

const POLL_MS = 200
const CHUNK_BYTES = 64 * 1024

/** Prints what is added to the logs of a folder, each line with the name of its part before it. */
export class LogFollower {
  readonly #folder: string
  readonly #print: (line: string) => void
  readonly #read = new Map<string, { at: number; rest: string }>()
  readonly #timer: Timer

  constructor(folder: string, print: (line: string) => void) {
    this.#folder = folder
    this.#print = print
    for (const name of this.#files()) this.#read.set(name, { at: statSync(join(folder, name)).size, rest: '' })
    this.#timer = setInterval(() => this.#poll(), POLL_MS)
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#poll()
  }

  #files(): string[] {
    return existsSync(this.#folder) ? readdirSync(this.#folder).filter((name) => name.endsWith('.log')) : []
  }

  #poll(): void {
    for (const name of this.#files()) {
      const path = join(this.#folder, name)
      const state = this.#read.get(name) ?? { at: 0, rest: '' }
      this.#read.set(name, state)
      if (statSync(path).size < state.at) state.at = 0 // a long log was put aside
      const file = openSync(path, 'r')
      try {
        const bytes = Buffer.alloc(CHUNK_BYTES)
        for (let read = -1; read !== 0; ) {
          read = readSync(file, bytes, 0, bytes.length, state.at)
          state.at += read
          const lines = (state.rest + bytes.toString('utf8', 0, read)).split('\n')
          state.rest = lines.pop() ?? ''
          for (const line of lines) this.#print(`${name.slice(0, -'.log'.length)} | ${line}`)
        }
      } finally {
        closeSync(file)
      }
    }
  }
}
