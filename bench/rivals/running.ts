import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Child } from '@oriel/dev/child'
import { freePort, HOST } from '@oriel/dev/ports'
import { tailOf } from '@oriel/dev/tail'
import { GRAPHS, type GraphName } from '../graphs.ts'
import { endsWithNumbers, type LoadPlan } from '../http-load.ts'
import { endMarked, MARK } from './marked.ts'
import { rightAnswer, rowFor } from './right-answer.ts'
import type { Question, Rival } from './rival.ts'

const READY_MS = 120_000
const LEAVE_MS = 15_000

/** What is asked, of whom, and what a right answer ends with. */
export type Target = Pick<LoadPlan, 'hostname' | 'port' | 'path' | 'body'> & { readonly expected: number[] }

/** One server at a time, with all that it started; and a folder that goes with it. */
export class Running implements AsyncDisposable {
  readonly target: Target
  readonly #child: Child
  readonly #dir: string
  readonly #mark: string

  /**
   * Starts it over one graph, and waits for the first right answer.
   * @param graphs the folder of `writeGraphs`
   * @param signal ends the wait for it
   * @throws Error why it did not come up, with the end of what it said
   */
  static async start(
    rival: Rival,
    graph: GraphName,
    graphs: string,
    python: string,
    signal: AbortSignal,
  ): Promise<Running> {
    const dir = mkdtempSync(join(tmpdir(), 'oriel-rival-'))
    const models = join(dir, 'models')
    mkdirSync(join(models, graph, '1'), { recursive: true })
    copyFileSync(join(graphs, graph, '1/model.onnx'), join(models, graph, '1/model.onnx'))
    const widths = GRAPHS[graph]
    const port = await freePort()
    const start = await rival.start({ graph, widths: [widths[0], widths.at(-1) ?? 0], models, python, port })
    const log = join(dir, 'log')
    const mark = crypto.randomUUID()
    // What they keep in a home goes with the folder; our sources are left as they are.
    const env = { ...process.env, HOME: dir, PYTHONDONTWRITEBYTECODE: '1', ...start.env, [MARK]: mark }
    const child = new Child({ ...start, env, cwd: dir }, log)
    const row = rowFor(graph)
    const target = { hostname: HOST, port, ...rival.ask(graph, row), expected: rightAnswer(graph, row) }
    const running = new Running(child, dir, mark, target)
    try {
      await running.#answers(signal)
      return running
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      const said = tailOf(log, 12)
      await running[Symbol.asyncDispose]()
      throw new Error(`${why}\n${said}`, { cause: error })
    }
  }

  private constructor(child: Child, dir: string, mark: string, target: Target) {
    this.#child = child
    this.#dir = dir
    this.#mark = mark
    this.target = target
  }

  /** Resolves at the first answer that is right. */
  async #answers(signal: AbortSignal): Promise<void> {
    const until = performance.now() + READY_MS
    let last = 'it did not answer'
    while (performance.now() < until) {
      signal.throwIfAborted()
      if (this.#child.exit) throw new Error(`it ended with ${this.#child.exit.code ?? this.#child.exit.signal}`)
      const { status, text } = await ask(this.target)
      if (status === 200 && endsWithNumbers(text, this.target.expected)) return
      if (status > 0) last = `it answered ${status} ${text.slice(0, 300)}`
      if (status === 200) break // and it is wrong: it will not become right
      await Bun.sleep(200)
    }
    throw new Error(last)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child.end('SIGTERM', LEAVE_MS)
    await endMarked(this.#mark)
    rmSync(this.#dir, { recursive: true, force: true })
  }
}

/** Status 0: nobody answers. */
async function ask({ hostname, port, path, body }: Question & Pick<Target, 'hostname' | 'port'>) {
  try {
    const response = await fetch(`http://${hostname}:${port}${path}`, {
      method: 'POST',
      body,
      headers: { 'Content-Type': 'application/json' },
      signal: AbortSignal.timeout(10_000),
    })
    return { status: response.status, text: await response.text() }
  } catch {
    return { status: 0, text: '' } // it is not up yet; whether it ever comes up is seen by the clock
  }
}
