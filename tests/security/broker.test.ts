import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { NatsConnection } from '@nats-io/nats-core'
import { connect } from '@nats-io/transport-node'
import type { Identity } from '@oriel/dev/identities'
import {
  EDGE_PERMISSIONS,
  NODE_PERMISSIONS,
  type Permissions,
  PLANNER_PERMISSIONS,
  RECORDER_PERMISSIONS,
} from '@oriel/protocol/permissions'
import {
  ALL_ANSWERS,
  ALL_CHECKED,
  ALL_LIVE,
  ALL_PREDICTIONS,
  ALL_VOLUMES,
  ALL_WARM_UPS,
  ALL_WARMED,
  acceptedSubject,
  answerSubject,
  BACKLOG,
  CHECK,
  cancelSubject,
  checkedSubject,
  DISCONNECTED,
  deadSubject,
  endedSubject,
  jobSubject,
  laneConsumer,
  predictedSubject,
  predictSubject,
  progressSubject,
  volumeSubject,
  warmedSubject,
  warmSubject,
} from '@oriel/protocol/subjects'
import { useStack } from '../support/stack.ts'

// Each identity tries everything at the running broker: what it may not do is refused, and what it may do is not.

const stack = useStack()
const IDENTITIES = ['edge', 'node', 'recorder', 'planner'] as const satisfies Identity[]
type Who = (typeof IDENTITIES)[number]

const lane = laneConsumer(0, 'interactive')
const none: readonly Who[] = []

/** What a program needs at a bucket that it watches. */
const watching = (bucket: string, who: readonly Who[]): Record<string, readonly Who[]> => ({
  [`$JS.API.CONSUMER.CREATE.KV_${bucket}.x.$KV.${bucket}.>`]: who,
  [`$JS.API.CONSUMER.DELETE.KV_${bucket}.x`]: who,
  [`$JS.API.CONSUMER.INFO.KV_${bucket}.x`]: who,
  [`$JS.FC.KV_${bucket}.x`]: who,
})

const PUBLISH: Readonly<Record<string, readonly Who[]>> = {
  [jobSubject(0, 'interactive', 'parrot')]: ['edge'],
  [progressSubject(0, 'x')]: ['edge', 'node'],
  [acceptedSubject('x')]: ['edge'],
  [endedSubject('x')]: ['edge', 'node'],
  [cancelSubject('x')]: ['edge'],
  [deadSubject('parrot', 'x')]: ['edge', 'node'],
  // Predictions: the edge asks, nodes answer and tell the record.
  [predictSubject('x', 'parrot')]: ['edge'],
  [answerSubject('x', 1)]: ['node'],
  [predictedSubject('x')]: ['node'],
  'live.progress.0.x': none,
  [DISCONNECTED]: none,
  '$KV.nodes.x': ['node'],
  '$KV.models.x.1': ['node', 'recorder'],
  [CHECK]: ['recorder'],
  [checkedSubject('x', '1')]: ['node'],
  [warmSubject('x')]: ['recorder'],
  [warmedSubject('x', 'm', '1')]: ['node'],
  '$KV.aliases.x': ['recorder'],
  ...watching('models', ['edge', 'node', 'recorder', 'planner']),
  ...watching('aliases', ['edge', 'recorder']),
  ...watching('nodes', ['edge', 'recorder', 'planner']),
  ...watching('placement', ['edge', 'node']),
  ...watching('leases', none),
  ...watching('volumes', none),
  '$JS.API.STREAM.INFO.KV_models': ['edge', 'planner'],
  '$JS.API.STREAM.INFO.KV_aliases': ['edge'],
  '$JS.API.STREAM.INFO.KV_nodes': ['edge', 'planner'],
  '$JS.API.STREAM.INFO.KV_placement': ['edge'],
  '$JS.API.DIRECT.GET.KV_models.$KV.models.x.1': ['node'],
  '$JS.API.DIRECT.GET.KV_placement.$KV.placement.plan': ['recorder', 'planner'],
  '$JS.API.DIRECT.GET.KV_leases.$KV.leases.planner': ['planner'],
  '$JS.API.DIRECT.GET.KV_volumes.$KV.volumes.measured': ['planner'],
  '$KV.placement.plan': ['planner'],
  '$KV.placement.other': none,
  '$KV.leases.planner': ['planner'],
  '$KV.leases.other': none,
  '$KV.volumes.measured': ['planner'],
  [BACKLOG]: ['planner'],
  [volumeSubject(0)]: ['edge'],
  // Jobs: nodes take them, nodes and the edge settle them, and the edge clears away what was given up.
  [`$JS.API.CONSUMER.MSG.NEXT.JOBS.${lane}`]: ['node'],
  [`$JS.ACK.JOBS.${lane}.1.1.1.1.0`]: ['edge', 'node'],
  // An acknowledgement may name a domain and an account first.
  [`$JS.ACK.x.y.JOBS.${lane}.1.1.1.1.0`]: ['edge', 'node'],
  '$JS.API.STREAM.MSG.GET.JOBS': ['edge'],
  '$JS.API.STREAM.MSG.DELETE.JOBS': ['edge'],
  [`$JS.API.CONSUMER.INFO.JOBS.${lane}`]: ['edge', 'planner'],
  '$JS.API.DIRECT.GET.JOBS': none,
  '$JS.API.CONSUMER.CREATE.JOBS.x': none,
  '$JS.API.CONSUMER.DURABLE.CREATE.JOBS.x': none,
  [`$JS.API.CONSUMER.DELETE.JOBS.${lane}`]: none,
  [`$JS.API.CONSUMER.PAUSE.JOBS.${lane}`]: none,
  '$JS.API.STREAM.PURGE.JOBS': none,
  // Logs.
  '$JS.API.DIRECT.GET.PROGRESS': ['edge', 'node'],
  '$JS.API.STREAM.MSG.DELETE.PROGRESS': none,
  '$JS.API.STREAM.PURGE.PROGRESS': ['edge'],
  '$JS.API.CONSUMER.CREATE.PROGRESS.x': none,
  // Dead letters: nodes write them, operators read them through the edge.
  '$JS.API.STREAM.INFO.DEAD': ['edge'],
  '$JS.API.DIRECT.GET.DEAD': ['edge'],
  '$JS.API.STREAM.MSG.DELETE.DEAD': ['edge'],
  '$JS.API.STREAM.PURGE.DEAD': none,
  '$JS.API.CONSUMER.CREATE.DEAD.x': none,
  // The history is the recorder's, who cannot change it.
  '$JS.API.CONSUMER.MSG.NEXT.HISTORY.recorder': ['recorder'],
  '$JS.ACK.HISTORY.recorder.1.1.1.1.0': ['recorder'],
  '$JS.ACK.x.y.HISTORY.recorder.1.1.1.1.0': ['recorder'],
  '$JS.API.CONSUMER.INFO.HISTORY.recorder': ['recorder'],
  '$JS.API.CONSUMER.DELETE.HISTORY.recorder': none,
  '$JS.API.CONSUMER.CREATE.HISTORY.x': none,
  '$JS.API.DIRECT.GET.HISTORY': none,
  [`$JS.API.DIRECT.GET.HISTORY.${endedSubject('x')}`]: ['edge'],
  '$JS.API.STREAM.MSG.GET.HISTORY': none,
  '$JS.API.STREAM.PURGE.HISTORY': none,
  // The broker itself.
  '$JS.API.STREAM.CREATE.MINE': none,
  '$JS.API.STREAM.UPDATE.JOBS': none,
  '$JS.API.STREAM.DELETE.JOBS': none,
  '$JS.API.STREAM.DELETE.KV_placement': none,
  '$JS.API.STREAM.NAMES': none,
  '$JS.API.META.LEADER.STEPDOWN': none,
  '$SYS.REQ.SERVER.PING': none,
}

const SUBSCRIBE: Readonly<Record<string, readonly Who[]>> = {
  '>': none,
  'jobs.>': none,
  'progress.>': none,
  'history.>': none,
  'dead.>': none,
  [ALL_LIVE]: ['edge'],
  [DISCONNECTED]: ['edge', 'planner'],
  [ALL_VOLUMES]: ['planner'],
  [BACKLOG]: ['node'],
  [ALL_PREDICTIONS]: ['node'],
  [ALL_ANSWERS]: ['edge'],
  'predict.>': none,
  'answers.>': none,
  'control.cancel.*': ['node'],
  [CHECK]: ['node'],
  [ALL_CHECKED]: ['recorder'],
  [ALL_WARM_UPS]: ['node'],
  [ALL_WARMED]: ['recorder'],
  '$KV.>': none,
  '$JS.API.>': none,
  '$JS.ACK.>': none,
  '$JS.EVENT.ADVISORY.>': none,
  '$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.JOBS.*': ['edge'],
  '$SYS.>': none,
  '_INBOX.>': none,
  ...Object.fromEntries(IDENTITIES.map((who) => [`_INBOX_${who}.>`, [who]])),
}

const PERMISSIONS: Readonly<Record<Who, Permissions>> = {
  edge: EDGE_PERMISSIONS,
  node: NODE_PERMISSIONS,
  recorder: RECORDER_PERMISSIONS,
  planner: PLANNER_PERMISSIONS,
}

/** Whether all that `subject` stands for is allowed by `pattern`. */
function allows(pattern: string, subject: string): boolean {
  const [wanted, given] = [pattern.split('.'), subject.split('.')]
  const rest = wanted.indexOf('>')
  if (rest < 0 ? given.length !== wanted.length : given.length <= rest) return false
  return wanted.every((token, at) => token === '>' || token === '*' || token === given[at])
}

/** A connection of an identity, and what the broker has forbidden to it so far. */
class Visitor {
  readonly nc: NatsConnection
  #refusals = 0

  constructor(nc: NatsConnection) {
    this.nc = nc
    void this.#listen()
  }

  /** Whether the broker forbids it. A refusal comes before the answer to a ping. */
  async refused(act: () => void): Promise<boolean> {
    const before = this.#refusals
    act()
    await this.nc.flush()
    await Bun.sleep(0) // the client tells of errors a turn later
    return this.#refusals > before
  }

  async #listen(): Promise<void> {
    for await (const event of this.nc.status()) {
      if (event.type === 'error' && /permissions violation/i.test(event.error.message)) this.#refusals++
    }
  }
}

const visitors = new Map<Who, Visitor>()
const visitor = (who: Who): Visitor => {
  const found = visitors.get(who)
  if (!found) throw new Error(`${who} is not connected`)
  return found
}
beforeAll(async () => {
  for (const who of IDENTITIES) visitors.set(who, new Visitor(await stack.stack.nats(who)))
}, 180_000)
afterAll(async () => {
  for (const { nc } of visitors.values()) await nc.close()
})

describe.each([...IDENTITIES])('%s', (who) => {
  test.each(Object.entries(PUBLISH))('publishes %s as it may', async (subject, may) => {
    const { nc } = visitor(who)
    expect(await visitor(who).refused(() => nc.publish(subject, 'x'))).toBe(!may.includes(who))
  })

  test.each(Object.entries(SUBSCRIBE))('subscribes to %s as it may', async (subject, may) => {
    const { nc } = visitor(who)
    const act = () => void nc.subscribe(subject, { callback: () => {} })
    expect(await visitor(who).refused(act)).toBe(!may.includes(who))
  })
})

test('whatever an identity may do is tried here', () => {
  const untried = IDENTITIES.flatMap((who) =>
    [[PERMISSIONS[who].publish, PUBLISH] as const, [PERMISSIONS[who].subscribe, SUBSCRIBE] as const].flatMap(
      ([patterns, rows]) => {
        const tried = Object.keys(rows).filter((subject) => rows[subject]?.includes(who))
        return patterns.filter((pattern) => !tried.some((subject) => allows(pattern, subject))).map((one) => [who, one])
      },
    ),
  )
  expect(untried).toEqual([])
})

test('without a password nobody comes in, and with the wrong one neither', async () => {
  const servers = stack.stack.natsUrl
  const attempts = [{}, { user: 'edge' }, { user: 'edge', pass: 'wrong' }, { user: 'node', pass: '' }]
  for (const attempt of attempts) {
    await expect(connect({ servers, ...attempt, reconnect: false })).rejects.toThrow(/authorization/i)
  }
})
