import { join } from 'node:path'
import type { ServerUnderTest } from './contract.ts'

const MAIN = join(import.meta.dir, '../../gpu-node/serve/main.ts')

/** `bun run serve` over a folder, as a process of its own. */
export class ServeProcess {
  readonly #process: Bun.Subprocess<'ignore', 'pipe', 'pipe'>
  #said = ''

  constructor(models: string, ...options: string[]) {
    this.#process = Bun.spawn([process.execPath, MAIN, '--models', models, '--http', '0', ...options], {
      stdin: 'ignore',
      stdout: 'pipe',
      stderr: 'pipe',
    })
  }

  /** Where it is, when it says that it is ready. */
  async ready(): Promise<ServerUnderTest> {
    const stderr = new Response(this.#process.stderr).text()
    const decoder = new TextDecoder()
    for await (const chunk of this.#process.stdout) {
      this.#said += decoder.decode(chunk, { stream: true })
      const url = /^ready (http:\/\/\S+)$/m.exec(this.#said)?.[1]
      if (url) return { url, headers: {} }
    }
    throw new Error(`It ended before it was ready:\n${this.#said}${await stderr}`)
  }

  /** It drains and leaves. */
  async stop(): Promise<number> {
    this.#process.kill()
    return await this.#process.exited
  }
}
