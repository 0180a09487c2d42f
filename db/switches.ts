import type { Problem } from '@oriel/protocol/problem'
import type { WarmAnswer, WarmOrder } from '@oriel/protocol/warm-up'
import type { AliasTable, Switch } from './alias-table.ts'
import type { Log } from './log.ts'
import { type Nodes, nextWarmUp } from './next-warm-up.ts'

/** Until a node that has warmed up has said so to everybody. */
const HEARD_MS = 300
/** Between two tries of what could not be done. */
const AGAIN_MS = 1_000
/** For so long nothing may have come forward; then the switch has failed. */
const PATIENCE_MS = 60_000

export interface SwitchesOptions {
  readonly table: Pick<AliasTable, 'switches' | 'finish' | 'fail'>
  readonly nodes: (model: string) => Promise<Nodes>
  /** Has a node load and warm a version; `undefined` when it does not answer to the end. */
  readonly warm: (node: string, order: WarmOrder, stop: AbortSignal) => Promise<WarmAnswer | undefined>
  /** Relays are told at once what an alias means. */
  readonly onFinished: () => Promise<void>
  readonly now: () => number
  readonly wait: (ms: number, stop: AbortSignal) => Promise<void>
  readonly log: Log
}

/**
 * Brings aliases to the versions that people want them to mean.
 *
 *   wanted ──every node that needs it has it warm──▶ meant
 *      ├──a node cannot run it, or a minute without progress──▶ failed: the alias means what it did
 *      └──somebody asks for another version──▶ wanted, anew
 *
 * What is under way stands in PostgreSQL, and what is warm in the heartbeats of nodes. So whoever comes next, after a
 * crash in the middle or beside this one, goes on where it is; and a switch that was overtaken changes nothing.
 */
export class Switches {
  readonly #options: SwitchesOptions
  readonly #running = new Map<string, AbortController>()

  constructor(options: SwitchesOptions) {
    this.#options = options
  }

  /** To be called every second or so. @throws when the database is away */
  async look(): Promise<void> {
    const wanted = new Map((await this.#options.table.switches()).map((one) => [keyOf(one), one]))
    for (const [key, running] of this.#running) if (!wanted.has(key)) running.abort()
    for (const [key, one] of wanted) if (!this.#running.has(key)) void this.#run(key, one)
  }

  stop(): void {
    for (const running of this.#running.values()) running.abort()
  }

  async #run(key: string, one: Switch): Promise<void> {
    const { log } = this.#options
    const stop = new AbortController()
    this.#running.set(key, stop)
    const what = { model: one.model, alias: one.alias, version: one.to }
    try {
      log('info', 'an alias is to change', what)
      const outcome = await this.#toTheEnd(one, stop.signal)
      log('info', 'a switch is over', { ...what, ...outcome })
    } catch (error) {
      log('warn', 'a switch is tried again', { ...what, error: String(error) })
    } finally {
      this.#running.delete(key)
    }
  }

  async #toTheEnd(one: Switch, stop: AbortSignal): Promise<{ outcome: string; problem?: Problem }> {
    const { table, nodes, warm, onFinished, now, wait } = this.#options
    let failingSince: number | undefined
    while (!stop.aborted) {
      const next = nextWarmUp(one, await nodes(one.model))
      if (next.kind === 'done') {
        await table.finish(one)
        await onFinished()
        return { outcome: 'finished' }
      }
      const order = { model: one.model, version: one.to }
      const answer = next.kind === 'node' ? await warm(next.node, order, stop) : undefined
      if (stop.aborted) break
      if (answer?.kind === 'warm') {
        failingSince = undefined
        await wait(HEARD_MS, stop)
        continue
      }
      failingSince ??= now()
      const isOver = now() - failingSince >= PATIENCE_MS
      if (answer?.kind === 'unfit' || isOver) {
        const problem = answer && 'problem' in answer ? answer.problem : NOBODY
        await table.fail(one, problem)
        return { outcome: 'failed', problem }
      }
      await wait(AGAIN_MS, stop)
    }
    return { outcome: 'overtaken' }
  }
}

const keyOf = ({ model, alias, turn }: Switch) => `${model}@${alias}#${turn}`

const NOBODY: Problem = {
  kind: 'unavailable',
  detail: 'No node that could run the version answered within a minute; set the alias again when there is one.',
}
