import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pythonEnvironment, whyNoPython } from '@oriel/dev/python'
import { type GraphName, writeGraphs } from '../graphs.ts'
import { measureLoad } from '../http-load.ts'
import type { Rival } from './rival.ts'
import { RIVALS, type RivalName } from './rivals.ts'
import { Running } from './running.ts'
import type { Lap } from './standings.ts'

export interface RacePlan {
  readonly rivals: readonly RivalName[]
  readonly graphs: readonly GraphName[]
  readonly connections: readonly number[]
  readonly rounds: number
  readonly warmUpMs: number
  readonly forMs: number
}

export interface Outcome {
  readonly laps: Lap[]
  /** What is not in the table, and why. */
  readonly absent: string[]
}

/**
 * Every server in every round, one at a time, so that a machine that is busy for a while is so for all of them.
 * @param signal ends the race, and what is running with it
 */
export async function race(plan: RacePlan, say: (line: string) => void, signal: AbortSignal): Promise<Outcome> {
  const outcome: Outcome = { laps: [], absent: [] }
  const note = (line: string) => {
    say(`  ${line}`)
    outcome.absent.push(line)
  }
  const ready = await environments(plan.rivals, say, note, signal)
  const dir = mkdtempSync(join(tmpdir(), 'oriel-graphs-'))
  try {
    await writeGraphs(dir)
    for (let round = 1; round <= plan.rounds; round++) {
      for (const graph of plan.graphs) {
        for (const [name, python] of ready) {
          if (signal.aborted) return outcome
          say(`round ${round} of ${plan.rounds}, ${graph}: ${name}`)
          try {
            await using running = await Running.start(RIVALS[name], graph, dir, python, signal)
            outcome.laps.push(...(await laps(running, { name, graph, plan, say, signal })))
          } catch (error) {
            if (!signal.aborted)
              note(`${name}, ${graph}, round ${round}: ${error instanceof Error ? error.message : error}`)
          }
        }
      }
    }
    return outcome
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

/** Of those that can be had here, the folder of their packages; none: ''. */
async function environments(
  names: readonly RivalName[],
  say: (line: string) => void,
  note: (line: string) => void,
  signal: AbortSignal,
): Promise<Map<RivalName, string>> {
  const ready = new Map<RivalName, string>()
  for (const name of names) {
    if (signal.aborted) break
    const { packages }: Rival = RIVALS[name]
    const reason = packages && whyNoPython(packages)
    if (reason) {
      note(`${name}: ${reason}`)
      continue
    }
    try {
      ready.set(name, packages ? await pythonEnvironment(packages, say) : '')
    } catch (error) {
      if (!signal.aborted) note(`${name} cannot be installed: ${error instanceof Error ? error.message : error}`)
    }
  }
  return ready
}

interface Course {
  readonly name: RivalName
  readonly graph: GraphName
  readonly plan: RacePlan
  readonly say: (line: string) => void
  readonly signal: AbortSignal
}

/** @throws Error when an answer was not right */
async function laps(running: Running, { name, graph, plan, say, signal }: Course): Promise<Lap[]> {
  const stop = () => void running[Symbol.asyncDispose]()
  signal.addEventListener('abort', stop)
  try {
    const found: Lap[] = []
    for (const connections of plan.connections) {
      const { warmUpMs, forMs } = plan
      const load = await measureLoad({ ...running.target, connections, warmUpMs, forMs })
      if (load.wrong > 0) throw new Error(`${load.wrong} wrong answers at ${connections}: ${load.firstWrong}`)
      const { perSecond, p50Ms, p99Ms } = load
      say(
        `  ${connections} connections: ${Math.round(perSecond).toLocaleString('en')} requests/s, p50 ${p50Ms.toFixed(2)} ms`,
      )
      found.push({ rival: name, graph, connections, perSecond, p50Ms, p99Ms })
    }
    return found
  } finally {
    signal.removeEventListener('abort', stop)
  }
}
