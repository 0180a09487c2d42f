import { join } from 'node:path'
import { descendants, processRow } from '@oriel/dev/process-table'

const MAIN = join(import.meta.dir, '../../gpu-node/serve/main.ts')

/** `bun run serve`, as people start it, on a port of its own. */
export class ServeProcess implements AsyncDisposable {
  readonly #process: Bun.Subprocess<'pipe', 'pipe', 'pipe'>
  readonly #ends: Promise<unknown>
  #said = ''
  #heard: (() => void)[] = []

  constructor(models: string, args: readonly string[] = []) {
    const options = ['--models', models, '--http', '0', '--hosts', '1', '--exit-with-parent', ...args]
    this.#process = Bun.spawn([process.execPath, MAIN, ...options], { stdin: 'pipe', stdout: 'pipe', stderr: 'pipe' })
    this.#ends = Promise.all([this.#read(this.#process.stdout), this.#read(this.#process.stderr)])
  }

  /** Ready, with its address. @throws Error what it said, when it ended instead */
  static async start(models: string, args: readonly string[] = []): Promise<ServeProcess> {
    const started = new ServeProcess(models, args)
    await started.says(/^ready /m)
    return started
  }

  /** Everything it said so far. */
  get said(): string {
    return this.#said
  }

  get url(): string {
    const found = /^ready (\S+)$/m.exec(this.#said) ?? /listening at (\S+)/.exec(this.#said)
    if (!found?.[1]) throw new Error(`It has not said where it is: ${this.#said}`)
    return found[1]
  }

  /** The processes that run its models. */
  get hosts(): number[] {
    return descendants(this.#process.pid).map(({ pid }) => pid)
  }

  async says(what: RegExp): Promise<void> {
    while (!what.test(this.#said)) {
      const ended = this.ended().then(() => true)
      const heard = new Promise<false>((resolve) => this.#heard.push(() => resolve(false)))
      if (await Promise.race([heard, ended])) {
        if (what.test(this.#said)) return
        throw new Error(`It ended without a word of ${what}: ${this.#said}`)
      }
    }
  }

  closeStdin(): void {
    this.#process.stdin.end()
  }

  kill(signal: NodeJS.Signals): void {
    this.#process.kill(signal)
  }

  /** Its exit code, when all that it said has been read. */
  async ended(): Promise<number> {
    const code = await this.#process.exited
    await this.#ends
    return code
  }

  infer(model: string, inputs: readonly object[], signal?: AbortSignal): Promise<Response> {
    const body = JSON.stringify({ inputs })
    return fetch(`${this.url}/v2/models/${model}/infer`, { method: 'POST', body, ...(signal && { signal }) })
  }

  post(path: string): Promise<Response> {
    return fetch(`${this.url}/v2/${path}`, { method: 'POST' })
  }

  /** The value of a metric, of all its labels together. */
  async metric(name: string): Promise<number> {
    const text = await (await fetch(`${this.url}/metrics`)).text()
    const lines = text.split('\n').filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
    return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0)
  }

  /** Resolves when a metric is what it is to be; nothing tells of it but asking. */
  async until(name: string, reached: (value: number) => boolean): Promise<void> {
    while (!reached(await this.metric(name))) await Bun.sleep(5)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode === null) this.kill('SIGKILL')
    await this.ended()
  }

  async #read(stream: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder()
    for await (const chunk of stream) {
      this.#said += decoder.decode(chunk, { stream: true })
      for (const heard of this.#heard.splice(0)) heard()
    }
    for (const heard of this.#heard.splice(0)) heard()
  }
}

export const isAlive = (pid: number): boolean => processRow(pid) !== undefined
