import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { processes } from '@oriel/dev/process-table'
import * as v from 'valibot'

const ROOT = resolve(import.meta.dir, '../..')
const SETUP = join(ROOT, 'dev/bin/setup.ts')

const StatusJSON = v.strictObject({
  url: v.nullable(v.string()),
  parts: v.array(
    v.strictObject({
      name: v.string(),
      kind: v.picklist(['postgres', 'nats', 'edge', 'recorder', 'planner', 'node', 'host']),
      pid: v.nullable(v.number()),
      address: v.nullable(v.string()),
    }),
  ),
})
export type StatusJSON = v.InferOutput<typeof StatusJSON>

export interface Finished {
  readonly code: number
  readonly out: string
  readonly err: string
}

type Env = Readonly<Record<string, string | undefined>>

/** A state folder of a test, and the commands that a person would run in it. */
export class Workplace {
  readonly path = mkdtempSync(join(tmpdir(), 'oriel-dev-'))
  readonly #running: DevProcess[] = []

  env(more: Env = {}): Record<string, string | undefined> {
    return { ...process.env, ORIEL_STATE_DIR: join(this.path, 'state'), ORIEL_PORT: '0', ...more }
  }

  /** One command to its end. */
  async run(args: readonly string[], env: Env = {}): Promise<Finished> {
    const child = Bun.spawn([process.execPath, SETUP, ...args], {
      cwd: ROOT,
      env: this.env(env),
      stdin: 'ignore',
      stdout: 'pipe',
      stderr: 'pipe',
    })
    const [out, err, code] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
      child.exited,
    ])
    return { code, out, err }
  }

  /** `bun run dev`, without waiting for anything. */
  dev(args: readonly string[] = [], env: Env = {}): DevProcess {
    const dev = new DevProcess(['dev', ...args], this.env(env))
    this.#running.push(dev)
    return dev
  }

  async status(): Promise<StatusJSON> {
    const { out } = await this.run(['dev', 'status', '--json'])
    return v.parse(v.pipe(v.string(), v.parseJson(), StatusJSON), out)
  }

  /** Processes that were started for this folder and are alive. */
  async remains(): Promise<number[]> {
    const alive = new Set(processes().map(({ pid }) => pid))
    return this.#running.flatMap((dev) => [...dev.seen].filter((pid) => alive.has(pid)))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const dev of this.#running) await dev.end('SIGTERM')
    rmSync(this.path, { recursive: true, force: true })
  }
}

/** A running `bun run dev`. */
export class DevProcess {
  readonly lines: string[] = []
  /** Every process that was found below it. */
  readonly seen = new Set<number>()
  readonly #child
  readonly #read: Promise<void>
  #heard = Promise.withResolvers<void>()

  constructor(args: readonly string[], env: Record<string, string | undefined>) {
    this.#child = Bun.spawn([process.execPath, SETUP, ...args], {
      cwd: ROOT,
      env,
      stdin: 'ignore',
      stdout: 'pipe',
      stderr: 'pipe',
    })
    this.#read = Promise.all([this.#collect(this.#child.stdout), this.#collect(this.#child.stderr)]).then(() => {})
  }

  get pid(): number {
    return this.#child.pid
  }

  /** The first line that matches. @throws when the process ends without it */
  async line(pattern: RegExp): Promise<string> {
    for (;;) {
      const found = this.lines.find((line) => pattern.test(line))
      if (found !== undefined) return found
      if (this.#child.exitCode !== null) throw new Error(`no line ${pattern}:\n${this.lines.join('\n')}`)
      await Promise.race([this.#heard.promise, this.#child.exited])
    }
  }

  async ready(): Promise<string> {
    const line = await this.line(/^ready http:\/\/127\.0\.0\.1:\d+$/)
    this.look()
    return line.slice('ready '.length)
  }

  /** Remembers the processes of all parts: they lead groups of their own below this one. */
  look(): void {
    const table = processes()
    const below = (parent: number): void => {
      for (const row of table) {
        if (row.parent !== parent) continue
        this.seen.add(row.pid)
        below(row.pid)
      }
    }
    below(this.pid)
  }

  async end(signal: NodeJS.Signals): Promise<number | null> {
    this.#child.kill(signal)
    return await this.ended()
  }

  async ended(): Promise<number | null> {
    await this.#child.exited
    await this.#read
    return this.#child.exitCode
  }

  async #collect(stream: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder()
    let rest = ''
    for await (const chunk of stream) {
      const parts = (rest + decoder.decode(chunk, { stream: true })).split('\n')
      rest = parts.pop() ?? ''
      this.lines.push(...parts)
      this.#heard.resolve()
      this.#heard = Promise.withResolvers()
    }
  }
}
