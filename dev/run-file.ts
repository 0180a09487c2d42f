import { existsSync, readFileSync, rmSync } from 'node:fs'
import * as v from 'valibot'
import { KINDS } from './part.ts'
import { processRow } from './process-table.ts'
import type { StateDir } from './state-dir.ts'
import { writePrivate } from './write-file.ts'

const count = v.pipe(v.number(), v.integer())

/** A process as it can be recognised later, when its pid may have been given to another. */
const Identified = { pid: count, start: v.string() }

/** `run.json`: the supervisor and its parts, kept up to date while they run. */
export const RunFile = v.object({
  ...Identified,
  /** Null until a request would succeed. */
  url: v.nullable(v.string()),
  parts: v.array(
    v.object({
      name: v.string(),
      kind: v.picklist(KINDS),
      mode: v.string(),
      address: v.nullable(v.string()),
      /** The leader of the part's process group; absent while it does not run. */
      leader: v.optional(v.object(Identified)),
      /** The process that does the work. */
      pid: v.nullable(count),
    }),
  ),
})
export type RunFile = v.InferOutput<typeof RunFile>

export function readRun(dir: StateDir): RunFile | undefined {
  if (!existsSync(dir.run)) return undefined
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), RunFile), readFileSync(dir.run, 'utf8'))
  return parsed.success ? parsed.output : undefined
}

export const writeRun = (dir: StateDir, run: RunFile) => writePrivate(dir.run, `${JSON.stringify(run)}\n`)

export const removeRun = (dir: StateDir) => rmSync(dir.run, { force: true })

export const isAlive = ({ pid, start }: { pid: number; start: string }) => processRow(pid)?.start === start
