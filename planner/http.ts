import type { Config } from './config.ts'
import type { PlannerProgram } from './planner-program.ts'

/** `/healthz`, `/backlog` as JSON, and `/metrics` as Prometheus reads them; nowhere when there is no port. */
export function serveHttp(
  { ORIEL_HTTP_PORT: port, ORIEL_HTTP_HOST: hostname }: Config,
  program: PlannerProgram,
): Bun.Server<undefined> | undefined {
  if (port === 0) return undefined
  return Bun.serve({
    port,
    hostname,
    routes: {
      '/healthz': () => Response.json({ planning: program.isPlanning }),
      '/backlog': () => Response.json(report(program)),
      '/metrics': () =>
        new Response(metrics(program), { headers: { 'Content-Type': 'text/plain; version=0.0.4; charset=utf-8' } }),
    },
    fetch: () => new Response('not found', { status: 404 }),
  })
}

/** How much there is to do beside how much can be done, for whoever starts and stops nodes. */
export interface BacklogReport {
  /** Another planner knows. */
  readonly planning: boolean
  readonly nodes: readonly { readonly node: string; readonly busy: number; readonly slots: number }[]
  readonly partitions: readonly {
    readonly partition: number
    readonly waiting: number
    readonly running: number
    /** Jobs taken in a second of late. */
    readonly drain: number
    /** Jobs in hand over the slots of its home nodes. */
    readonly occupancy: number
  }[]
}

function report(program: PlannerProgram): BacklogReport {
  const serving = program.cluster.serving(Date.now())
  const homes = program.planner?.placement.homes ?? []
  return {
    planning: program.isPlanning,
    nodes: serving.map(({ node, busy, slots }) => ({ node, busy, slots })),
    partitions: program.backlog.partitions.map((queue, partition) => {
      const home = serving.filter(({ node }) => homes[partition]?.includes(node))
      const slots = (home.length > 0 ? home : serving).reduce((sum, node) => sum + node.slots, 0)
      return { partition, ...queue, occupancy: slots > 0 ? queue.running / slots : queue.running > 0 ? 1 : 0 }
    }),
  }
}

function metrics(program: PlannerProgram): string {
  const { planning, nodes, partitions } = report(program)
  const gauge = (name: string, help: string, values: readonly (readonly [labels: string, value: number])[]) => [
    `# HELP ${name} ${help}`,
    `# TYPE ${name} gauge`,
    ...values.map(([labels, value]) => `${name}${labels} ${value}`),
  ]
  const by = (of: (queue: BacklogReport['partitions'][number]) => number) =>
    partitions.map((queue) => [`{partition="${queue.partition}"}`, of(queue)] as const)
  return [
    ...gauge('oriel_planner_planning', '1: this planner has the lease.', [['', planning ? 1 : 0]]),
    ...gauge('oriel_planner_nodes', 'Nodes that take jobs.', [['', nodes.length]]),
    ...gauge(
      'oriel_partition_waiting_jobs',
      'Jobs that no node has taken.',
      by(({ waiting }) => waiting),
    ),
    ...gauge(
      'oriel_partition_running_jobs',
      'Jobs that nodes have in hand.',
      by(({ running }) => running),
    ),
    ...gauge(
      'oriel_partition_drain_jobs_per_second',
      'Jobs taken in a second of late.',
      by(({ drain }) => drain),
    ),
    ...gauge(
      'oriel_partition_occupancy_ratio',
      'Jobs in hand over its nodes’ slots.',
      by(({ occupancy }) => occupancy),
    ),
    '',
  ].join('\n')
}
