import { existsSync, renameSync, statSync } from 'node:fs'
import type { Kind, PartSpec } from './part.ts'
import { Part } from './part.ts'
import type { RunFile } from './run-file.ts'
import type { StackError } from './stack-error.ts'
import type { StateDir } from './state-dir.ts'
import type { PartView } from './status.ts'

export interface PartSetOptions {
  readonly dir: Pick<StateDir, 'log'>
  /** Brings back parts that die. */
  readonly restart: boolean
  readonly log: (line: string) => void
  /** A part has another mode or pid now, or there is one more or one less. */
  readonly changed: () => void
  /** A part that should have been brought back was given up. */
  readonly failed: (error: StackError) => void
}

const STOP_NEWS_MS = 2_000
const LONG_LOG_BYTES = 8 * 1024 * 1024

/** The parts of a stack, by their names. */
export class PartSet {
  readonly #options: PartSetOptions
  readonly #parts = new Map<string, Part>()

  constructor(options: PartSetOptions) {
    this.#options = options
  }

  add(spec: PartSpec): Part {
    const { dir, restart, log, changed, failed } = this.#options
    const logFile = dir.log(spec.name)
    if (existsSync(logFile) && statSync(logFile).size > LONG_LOG_BYTES) renameSync(logFile, `${logFile}.old`)
    const part = new Part(spec, {
      logFile,
      restart,
      log,
      changed,
      failed: (error) => (restart ? failed(error) : log(error.message)),
    })
    this.#parts.set(spec.name, part)
    return part
  }

  remove(name: string): void {
    this.#parts.delete(name)
    this.#options.changed()
  }

  /** By its name, or the first of a kind. */
  get(name: string): Part {
    const part = this.#parts.get(name) ?? [...this.#parts.values()].find(({ spec }) => spec.kind === name)
    if (!part) throw new Error(`the stack has no part ${name}`)
    return part
  }

  ofKind(kind: Kind): Part[] {
    return [...this.#parts.values()].filter(({ spec }) => spec.kind === kind)
  }

  /** `<kind>-<n>` with the first number that is free. */
  nextName(kind: Kind): string {
    let number = 1
    while (this.#parts.has(`${kind}-${number}`)) number++
    return `${kind}-${number}`
  }

  views(): PartView[] {
    return [...this.#parts.values()].map(viewOf)
  }

  /** As the run file has them, for whoever must clear them away when we are gone. */
  rows(): RunFile['parts'] {
    return [...this.#parts.values()].map((part) => ({
      ...viewOf(part),
      ...(part.child ? { leader: { pid: part.child.pid, start: part.child.start } } : {}),
    }))
  }

  /** All of a kind, at the same time; who takes long is named. @param say is told even when all stops */
  async stop(kind: Kind, say: (line: string) => void): Promise<void> {
    const parts = this.ofKind(kind)
    const news = setTimeout(() => {
      const slow = parts.filter(({ mode }) => mode === 'stopping').map(({ spec }) => spec)
      const longest = Math.max(...slow.map(({ stop }) => stop.graceMs))
      say(`waiting for ${slow.map(({ name }) => name).join(', ')}, at most ${longest / 1000} s …`)
    }, STOP_NEWS_MS)
    await Promise.all(parts.map((part) => part.stop()))
    clearTimeout(news)
  }

  /** Everything, at once. */
  killNow(): void {
    for (const part of this.#parts.values()) part.killNow()
  }
}

const viewOf = (part: Part): PartView => ({
  name: part.spec.name,
  kind: part.spec.kind,
  mode: part.mode,
  pid: part.pid ?? null,
  address: part.spec.address,
})
