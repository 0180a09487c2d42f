import { cpSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { explain } from '@oriel/dev/stack-error'
import { FAULT_NAMES, type FaultName, faultsOf } from './faults.ts'
import { reportOf, table } from './report.ts'
import { runChaos } from './run.ts'
import { slowestOf } from './slowest.ts'
import { timelineOf } from './timeline.ts'
import { RULES } from './violation.ts'

const HELP = `bun run chaos [options]    breaks the stack under load, and checks what its clients got

  --minutes N       how long the load lasts (1)
  --rate N          requests a second (50)
  --seed N          what is asked and what is broken follow from it (drawn)
  --only a,b,…      these faults, or kinds of them: kill, freeze, cut, delay, hole, flood, edge-nats …
  --except a,b,…    all but these
  --every S         a fault every so many seconds, more or less (at most 4, so that each comes once)
  --nodes N         (3)
  --edge workerd|wrangler
  --json FILE       the report, and the timelines of every request that was wronged and of those that waited longest
  --keep DIR        the logs of all parts are copied there

Ends with 1 when a promise was broken, and with 130 when it was stopped.

Faults: ${FAULT_NAMES.join(', ')}`

const SLOWEST = 12

const text = { type: 'string' } as const
const { values } = (() => {
  try {
    return parseArgs({
      options: {
        minutes: text,
        rate: text,
        seed: text,
        only: text,
        except: text,
        nodes: text,
        every: text,
        edge: text,
        json: text,
        keep: text,
        help: { type: 'boolean', short: 'h' },
      },
    })
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error))
  }
})()
if (values.help) {
  console.log(HELP)
  process.exit(0)
}

const seed = number('seed', Math.floor(Math.random() * 1_000_000), 0)
const edge = values.edge ?? 'workerd'
if (edge !== 'workerd' && edge !== 'wrangler') fail(`--edge is workerd or wrangler, not ${edge}`)
const except = values.except ? named(values.except) : []
const faults = (values.only ? named(values.only) : FAULT_NAMES).filter((name) => !except.includes(name))

const stopped = new AbortController()
const startedAt = performance.now()
const say = (line: string) =>
  console.error(`${((performance.now() - startedAt) / 1000).toFixed(1).padStart(6)} s  ${line}`)
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (!stopped.signal.aborted) say('stopping')
    stopped.abort()
  })
}
say(`seed ${seed}`)
try {
  const { observation, violations } = await runChaos({
    seed,
    forMs: number('minutes', 1, 0.05) * 60_000,
    perSecond: number('rate', 50, 0.1),
    nodes: number('nodes', 3, 1),
    edge,
    faults,
    ...(values.every !== undefined && { everyMs: number('every', 0, 0.1) * 1_000 }),
    log: say,
    signal: stopped.signal,
    ...(values.keep && { keep: keepLogs(values.keep) }),
  })
  const report = reportOf(seed, faults, observation, violations)
  console.log(table(report))
  const wronged = new Set(violations.map(({ user, requestID }) => `${user} ${requestID}`))
  const timelines = observation.requests
    .filter(({ planned }) => wronged.has(`${planned.user} ${planned.requestID}`))
    .map((request) => timelineOf(request, observation))
  const told = { ...report, timelines, slowest: slowestOf(observation, SLOWEST) }
  if (values.json) writeFileSync(values.json, `${JSON.stringify(told, undefined, 2)}\n`)
  for (const { rule, user, requestID, detail } of violations.slice(0, 20))
    console.log(`\n${rule}: ${RULES[rule]}\n  ${user} ${requestID}: ${detail}`)
  for (const timeline of timelines.slice(0, 3)) console.log(`\n${timeline.join('\n  ')}`)
  if (violations.length > 0) {
    const said = values.seed === undefined ? ['--seed', String(seed)] : []
    console.log(`\nThe same again: bun run chaos ${[...process.argv.slice(2), ...said].join(' ')}`)
  }
  process.exit(violations.length > 0 ? 1 : 0)
} catch (error) {
  if (stopped.signal.aborted) process.exit(130)
  console.error(explain(error))
  process.exit(2)
}

function fail(message: string): never {
  console.error(`${message}\n\n${HELP}`)
  process.exit(2)
}

function number(name: 'minutes' | 'rate' | 'seed' | 'nodes' | 'every', otherwise: number, least: number): number {
  const value = values[name] === undefined ? otherwise : Number(values[name])
  return Number.isFinite(value) && value >= least ? value : fail(`--${name} is a number from ${least} on`)
}

function named(words: string): FaultName[] {
  return words.split(',').flatMap((word) => {
    const found = faultsOf(word)
    return found.length > 0 ? found : fail(`There is no fault ${word}.`)
  })
}

function keepLogs(to: string) {
  return (dir: string) => cpSync(join(dir, 'logs'), to, { recursive: true })
}
