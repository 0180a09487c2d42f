import { parseArgs } from 'node:util'
import { endTools } from '@oriel/dev/run-tool'
import { onSignals } from '@oriel/dev/signals'
import { GRAPHS, type GraphName } from '../graphs.ts'
import { type RacePlan, race } from './race.ts'
import { RIVALS, type RivalName } from './rivals.ts'
import { standings, standingsTable } from './standings.ts'

const REFERENCE = 'triton' satisfies RivalName

const namesOf = <Name extends string>(record: Readonly<Record<Name, unknown>>) => Object.keys(record) as Name[]

const help = `bun run bench servers [--only name,…]

A node alone beside the model servers, one after the other on this machine: the same ONNX files, the same ONNX Runtime
with one thread, at most 64 rows in a run, JSON over HTTP, one row in a request; every answer is checked. They come from
PyPI the first time and are kept. In a cell: requests/s, the median of the rounds, and the ratio to ${REFERENCE}; under it the
slowest and the fastest round.

${Object.entries(RIVALS)
  .map(([name, { form, docs }]) => `  ${name.padEnd(9)} ${form}\n            ${docs}`)
  .join('\n')}

  --only         these servers (all); the ratios need ${REFERENCE}
  --graphs       ${namesOf(GRAPHS).join(', ')} (all)
  --connections  requests at a time (1,8,32,64)
  --rounds       times that each of them is started and measured (3)
  --seconds      of a measurement, after half as much to warm up (4)
  --json         [{ rival, graph, connections, perSecond, p50Ms, p99Ms, range, ratio }] on stdout instead of a table`

/** @throws Error saying what is wrong with the arguments */
function planOf(args: readonly string[]): (RacePlan & { readonly json: boolean }) | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string' },
      graphs: { type: 'string' },
      connections: { type: 'string', default: '1,8,32,64' },
      rounds: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '4' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) return undefined
  const forMs = positive('seconds', values.seconds) * 1_000
  return {
    rivals: chosen('only', values.only, namesOf<RivalName>(RIVALS)),
    graphs: chosen('graphs', values.graphs, namesOf<GraphName>(GRAPHS)),
    connections: values.connections.split(',').map((text) => positive('connections', text)),
    rounds: positive('rounds', values.rounds),
    warmUpMs: forMs / 2,
    forMs,
    json: values.json,
  }
}

function positive(option: string, text: string): number {
  const value = Number(text)
  if (!(value >= 1 && Number.isInteger(value))) throw new Error(`--${option} ${text}: a whole number from 1 is wanted`)
  return value
}

function chosen<Name extends string>(option: string, text: string | undefined, all: readonly Name[]): Name[] {
  const wanted = text?.split(',') ?? all
  const unknown = wanted.filter((name) => !all.some((one) => one === name))
  if (unknown.length > 0) throw new Error(`--${option} ${unknown.join(',')}: there are ${all.join(', ')}`)
  return all.filter((name) => wanted.includes(name))
}

/** `bun run bench servers`. @returns the exit code */
export async function main(args: readonly string[]): Promise<number> {
  let plan: ReturnType<typeof planOf>
  try {
    plan = planOf(args)
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${help}`)
    return 2
  }
  if (!plan) {
    console.log(help)
    return 0
  }
  // What is being installed is ended here; the server that runs is ended by the race.
  const { signal } = onSignals(endTools, () => {})
  const { laps, absent } = await race(plan, (line) => console.error(line), signal)
  if (signal.aborted) return 130
  const found = standings(laps, REFERENCE)
  console.log(plan.json ? JSON.stringify(found, undefined, 2) : standingsTable(found))
  for (const line of absent) console.error(`left out: ${line}`)
  return absent.length > 0 ? 1 : 0
}
