import { join } from 'node:path'
import type { TestBroker } from './broker.ts'

const PACED_MAIN = join(import.meta.dir, '../../gpu-node/testing/paced-main.ts')

/** A node as a process of its own, as it runs in production, with a model that needs no files. */
export class NodeProcess {
  readonly name: string
  readonly #process: Bun.Subprocess<'pipe', 'pipe', 'inherit'>
  readonly #lines: Record<string, unknown>[] = []
  #heard: (() => void)[] = []

  constructor(broker: TestBroker, name: string, env: Record<string, string> = {}, main = PACED_MAIN) {
    this.name = name
    this.#process = Bun.spawn(['bun', main], {
      env: { ...process.env, ...broker.nodeEnv, ORIEL_NODE_NAME: name, ...env },
      stdin: 'pipe',
      stdout: 'pipe',
      stderr: 'inherit',
    })
    void this.#read()
  }

  get pid(): number {
    return this.#process.pid
  }

  /** The entries of its log so far. */
  get lines(): readonly Record<string, unknown>[] {
    return this.#lines
  }

  /** Resolves when it has logged `msg`. */
  async says(msg: string): Promise<void> {
    while (!this.#lines.some((line) => line.msg === msg)) {
      await new Promise<void>((resolve) => this.#heard.push(resolve))
    }
  }

  closeStdin(): void {
    this.#process.stdin.end()
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<number> {
    this.#process.kill(signal)
    return await this.#process.exited
  }

  get exited(): Promise<number> {
    return this.#process.exited
  }

  async #read(): Promise<void> {
    const decoder = new TextDecoder()
    let rest = ''
    for await (const chunk of this.#process.stdout) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) this.#lines.push(JSON.parse(line))
      for (const heard of this.#heard.splice(0)) heard()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode === null) await this.kill()
  }
}
