import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startStack } from '@oriel/dev/stack'
import { lookUpAll, readHistories } from './audit.ts'
import { check } from './check.ts'
import { responsesOf } from './end-rules.ts'
import type { FaultName, FloodName } from './faults.ts'
import { LET_IN, planFlood } from './flood-plan.ts'
import { Injector } from './injector.ts'
import { Links } from './links.ts'
import { Load } from './load.ts'
import { planLoad } from './load-plan.ts'
import { lowerQueues } from './lower-queues.ts'
import type { InjectedFault, Observation } from './observation.ts'
import { pause } from './pause.ts'
import { QUESTIONS } from './questions.ts'
import { type Injection, lastFault, planFaults } from './schedule.ts'
import type { Violation } from './violation.ts'

export interface ChaosOptions {
  readonly seed: number
  readonly forMs: number
  readonly perSecond: number
  readonly faults: readonly FaultName[]
  readonly everyMs?: number
  readonly nodes: number
  readonly edge: 'workerd' | 'wrangler'
  /** Instead of the seed's. */
  readonly schedule?: readonly Injection[]
  readonly log: (line: string) => void
  readonly signal: AbortSignal
  /** Is given the state folder before it is removed. */
  readonly keep?: (dir: string) => void
}

/** How long clients and the history may take after the last fault is over. */
const PATIENCE_MS = 90_000
const NEWS_MS = 10_000

/** One run: the stack, the load, the faults, and what clients could hold against us. */
export async function runChaos(options: ChaosOptions): Promise<{ observation: Observation; violations: Violation[] }> {
  const { seed, forMs, perSecond, nodes, edge, log, signal } = options
  const dir = mkdtempSync(join(tmpdir(), 'oriel-chaos-'))
  chmodSync(dir, 0o711) // as root, PostgreSQL runs as another user, who must get in
  const links = await Links.open(nodes)
  try {
    log('starting the stack')
    const { portsFor } = links
    const edgeEnv = { LIMIT_BURST: String(LET_IN.burst), LIMIT_PER_SECOND: String(LET_IN.perSecond) }
    const stack = await startStack({ stateDir: dir, nodes, edge, edgeEnv, portsFor, log: (line) => log(`  ${line}`) })
    try {
      signal.throwIfAborted()
      const nc = await stack.nats()
      await lowerQueues(nc)
      await nc.close()
      links.proxy('client-edge').target = Number(new URL(stack.url).port)
      const url = `http://127.0.0.1:${links.proxy('client-edge').port}`
      const tokenOf = (user: string) => stack.token(user)
      const answers = await undisturbed(new Load(url, tokenOf, signal))

      const gaveUp = new AbortController()
      const load = new Load(url, tokenOf, AbortSignal.any([signal, gaveUp.signal]))
      const plan = planLoad(seed, forMs, perSecond)
      const faults: InjectedFault[] = []
      let floods = 0
      const flood = (name: FloodName, forFloodMs: number) =>
        void load.run(planFlood(name, seed, `chaos-${seed}-${name}-${++floods}`, forFloodMs))
      const injector = new Injector({ stack, links, nodes, flood })
      log(`${plan.length} requests at ${perSecond} a second`)
      const news = setInterval(() => log(`  ${newsOf(load)}`), NEWS_MS)
      void load.run(plan)
      const struck = inject(
        injector,
        options.schedule ?? planFaults(seed, forMs, options.faults, options.everyMs),
        faults,
        options,
      )
      try {
        await Promise.all([struck, pause(forMs, signal)])
        const patience = setTimeout(() => gaveUp.abort(), PATIENCE_MS)
        await load.ended()
        clearTimeout(patience)
      } finally {
        clearInterval(news)
      }
      signal.throwIfAborted()
      log(`${newsOf(load)}; looking all of them up`)
      await lookUpAll(load, AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]), signal)
      const histories = await readHistories(load, AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]))
      signal.throwIfAborted()
      const observation = { requests: load.requests, histories, answers, faults }
      return { observation, violations: check(observation) }
    } finally {
      options.keep?.(dir)
      await stack.stop()
    }
  } finally {
    await links.close()
    rmSync(dir, { recursive: true, force: true })
  }
}

async function inject(
  injector: Injector,
  schedule: readonly Injection[],
  faults: InjectedFault[],
  { log, signal, forMs }: ChaosOptions,
): Promise<void> {
  const startedAt = performance.now()
  const late = AbortSignal.timeout(lastFault(forMs))
  const running: Promise<void>[] = []
  for (const injection of schedule) {
    await pause(Math.max(0, startedAt + injection.at - performance.now()), signal)
    if (signal.aborted) break
    const one = injector.inject(injection, late, signal).then((injected) => {
      faults.push(injected)
      const { fault, target, at, until, skipped, left } = injected
      log(`  ${fault} ${target} ${skipped ? `skipped: ${skipped}` : `for ${((until - at) / 1000).toFixed(1)} s`}`)
      if (left) log(`  ${target} did not come back: ${left}`)
    })
    running.push(one)
  }
  await Promise.all(running)
}

/** Asks every question once, before there are faults. */
async function undisturbed(load: Load): Promise<Map<string, readonly unknown[]>> {
  await load.run(
    QUESTIONS.map(({ key, modelID, input, parameters }, index) => ({
      requestID: `before-${key}`,
      user: 'before',
      at: index * 50,
      question: key,
      modelID,
      request: { input, ...(parameters && { parameters }) },
      reading: { mode: 'stream', leaves: [] },
    })),
  )
  return new Map(
    load.requests.map(({ planned, connections }) => [
      planned.question,
      responsesOf(connections.flatMap(({ events }) => events)),
    ]),
  )
}

function newsOf({ requests }: Load): string {
  const reading = requests.filter(({ connections }) => connections.at(-1)?.end === 'open').length
  return `${requests.length} requests sent, ${reading} streams open`
}
