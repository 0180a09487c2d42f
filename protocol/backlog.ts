import * as v from 'valibot'

const whole = v.pipe(v.number(), v.integer(), v.minValue(0))

/** What the planner tells of the partitions, every `BACKLOG_MS`: both lanes of each together. */
export const Backlog = v.object({
  partitions: v.array(
    v.object({
      /** Jobs that no node has taken. */
      waiting: whole,
      /** Jobs that nodes have in hand. */
      running: whole,
      /** Jobs taken in a second of late. */
      drain: v.pipe(v.number(), v.minValue(0)),
      /** Live nodes that are at home there. */
      homes: whole,
    }),
  ),
})
export type Backlog = v.InferOutput<typeof Backlog>

export const BACKLOG_MS = 1_000
/** Without a word for so long there is no planner, and nobody knows. */
export const BACKLOG_STALE_MS = 5_000
