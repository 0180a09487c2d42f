/** Two parts with a proxy of ours between them. */
export const LINKS = [
  'node-nats',
  'edge-nats',
  'recorder-nats',
  'edge-postgres',
  'recorder-postgres',
  'client-edge',
] as const
export type LinkName = (typeof LINKS)[number]

/** `delay`: every byte comes later. `cut`: connections are reset, new ones too. `hole`: bytes go nowhere, nobody is told. */
export const TROUBLES = ['delay', 'cut', 'hole'] as const
export type Trouble = (typeof TROUBLES)[number]

/** Killed with -9, and brought back by the stack. */
const KILLED = ['node', 'host', 'edge', 'recorder', 'nats'] as const
/** Stopped in the middle of what they do, without anybody being told, and continued. */
const FROZEN = ['node', 'host', 'edge', 'recorder', 'nats'] as const
type Kill = `kill-${(typeof KILLED)[number]}`
type Freeze = `freeze-${(typeof FROZEN)[number]}`

/** More at once than is let in: past the limit of one model's queue, and past the rate of one user. */
export const FLOODS = ['flood-queue', 'flood-user'] as const
export type FloodName = (typeof FLOODS)[number]

export type FaultName = Kill | Freeze | 'wipe-nats' | 'stop-postgres' | `${Trouble}:${LinkName}` | FloodName

interface Fault {
  readonly name: FaultName
  /** How long it lasts, ms: the bounds that the schedule draws from. */
  readonly forMs: readonly [low: number, high: number]
}

/** Past AckWait, so that a frozen or cut-off node's jobs are given to others. */
const LONG_MS = 14_000
const SHORT: Fault['forMs'] = [1_000, 5_000]

/** Every fault there is. */
export const FAULTS: readonly Fault[] = [
  ...KILLED.map((part): Fault => ({ name: `kill-${part}`, forMs: [0, 0] })),
  ...FROZEN.map((part): Fault => ({ name: `freeze-${part}`, forMs: part === 'node' ? [2_000, LONG_MS] : SHORT })),
  { name: 'wipe-nats', forMs: [0, 0] },
  { name: 'stop-postgres', forMs: [2_000, 8_000] },
  ...FLOODS.map((name): Fault => ({ name, forMs: [500, 1_500] })),
  ...LINKS.flatMap((link) =>
    TROUBLES.map(
      (trouble): Fault => ({ name: `${trouble}:${link}`, forMs: link === 'node-nats' ? [2_000, LONG_MS] : SHORT }),
    ),
  ),
]

export const FAULT_NAMES = FAULTS.map(({ name }) => name)

/** The faults that a word of the command line means: one by its name, or all of a kind (`kill`, `cut`, `edge-nats`). */
export const faultsOf = (word: string): FaultName[] =>
  FAULT_NAMES.filter((name) => name === word || name.split(/[-:]/)[0] === word || name.split(':')[1] === word)
