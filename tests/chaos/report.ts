import { TERMINAL } from '@oriel/protocol/event'
import { isTerminal } from '../support/client.ts'
import type { FaultName } from './faults.ts'
import type { InjectedFault, Observation, RequestObservation } from './observation.ts'
import { standingOf } from './observation.ts'
import type { Violation } from './violation.ts'

export interface FaultRow {
  readonly fault: string
  readonly injected: number
  readonly skipped: number
  /** Requests that were under way while it lasted. */
  readonly touched: number
  /** The longest that a client of one of those waited for its next event, or its answer, in that time. */
  readonly longestPauseMs: number
  /** Broken promises to the requests it touched. With several faults at a time each is given all. */
  readonly violations: number
}

export interface Report {
  readonly seed: number
  readonly requests: number
  readonly accepted: number
  readonly refused: number
  /** Refusals of submits by the kind of their problem, also of those that were let in later. */
  readonly refusals: Readonly<Record<string, number>>
  readonly repeatedSubmits: number
  readonly reconnects: number
  /** How many ended how. */
  readonly ends: Readonly<Record<string, number>>
  readonly faults: readonly FaultRow[]
  readonly violations: readonly Violation[]
}

/** @param asked the faults that were to be injected: one that was not has a line all the same */
export function reportOf(
  seed: number,
  asked: readonly FaultName[],
  observation: Observation,
  violations: readonly Violation[],
): Report {
  const { requests, faults } = observation
  const standing = Map.groupBy(requests, standingOf)
  const ended = Map.groupBy(
    standing.get('accepted') ?? [],
    ({ afterwards }) => TERMINAL.find((type) => type === afterwards?.log.at(-1)?.type) ?? 'not ended',
  )
  const lives = requests.map((request) => ({ request, ...lifeOf(request), waits: waitsOf(request) }))
  const broken = Map.groupBy(violations, ({ user, requestID }) => `${user} ${requestID}`)
  const row = (fault: string, all: readonly InjectedFault[]): FaultRow => {
    const done = all.filter(({ skipped }) => skipped === undefined)
    const during = ({ from, to }: Span) => done.some(({ at, until }) => from <= until && to >= at)
    const touched = lives.filter(during)
    return {
      fault,
      injected: done.length,
      skipped: all.length - done.length,
      touched: touched.length,
      longestPauseMs: Math.max(
        0,
        ...touched.flatMap(({ waits }) => waits.filter(during).map(({ from, to }) => to - from)),
      ),
      violations: touched
        .map(({ request: { planned } }) => broken.get(`${planned.user} ${planned.requestID}`)?.length ?? 0)
        .reduce((sum, count) => sum + count, 0),
    }
  }
  return {
    seed,
    requests: requests.length,
    accepted: standing.get('accepted')?.length ?? 0,
    refused: standing.get('refused')?.length ?? 0,
    refusals: refusalsOf(requests),
    repeatedSubmits: requests.filter(({ submits }) => submits.length > 1).length,
    reconnects: requests.reduce((sum, { connections }) => sum + Math.max(0, connections.length - 1), 0),
    ends: Object.fromEntries([...ended].map(([end, all]) => [end, all.length])),
    faults: [...new Set([...asked, ...faults.map(({ fault }) => fault)])].map((fault) =>
      row(
        fault,
        faults.filter((one) => one.fault === fault),
      ),
    ),
    violations,
  }
}

function refusalsOf(requests: readonly RequestObservation[]): Record<string, number> {
  const kinds = requests
    .flatMap(({ submits }) => submits)
    .flatMap(({ outcome }) =>
      outcome.kind === 'refused' ? (/urn:oriel:problem:([a-z-]+)/.exec(outcome.problem)?.[1] ?? outcome.status) : [],
    )
  return Object.fromEntries([...Map.groupBy(kinds, String)].map(([kind, all]) => [kind, all.length]))
}

export interface Span {
  readonly from: number
  readonly to: number
}

/** From the first submit to the terminal event, or to the last thing that its client got. */
export function lifeOf({ submits, connections, polls, afterwards }: RequestObservation): Span {
  const end = afterwards?.log.at(-1)?.data.sentAt
  const times = [
    ...submits.map(({ answeredAt }) => answeredAt),
    ...connections.flatMap(({ events }) => events.map(({ at }) => at)),
    ...connections.flatMap(({ end, closedAt }) => (end === 'left' ? [] : closedAt)),
    ...polls.map(({ at }) => at),
    ...(typeof end === 'string' ? [Date.parse(end)] : []),
  ]
  return { from: submits[0]?.at ?? 0, to: Math.max(0, ...times) }
}

/** How long its client waited each time: for the answer to a submit, and for the next event while it wanted one. */
export function waitsOf({ submits, connections }: RequestObservation): Span[] {
  const waits: Span[] = []
  const first = submits[0]
  const answered = submits.at(-1)
  if (first && answered) waits.push({ from: first.at, to: answered.answeredAt })
  let since: number | undefined
  for (const { openedAt, events, end } of connections) {
    since ??= openedAt
    for (const { at } of events) {
      waits.push({ from: since, to: at })
      since = at
    }
    if (end === 'left') since = undefined
  }
  const last = connections.at(-1)
  if (last && since !== undefined && !isTerminal(last.events.at(-1))) waits.push({ from: since, to: last.closedAt })
  return waits
}

export function table({ faults, ...sum }: Report): string {
  const head = ['fault', 'injected', 'requests touched', 'longest pause', 'violations']
  const rows = [...faults]
    .sort((a, b) => a.fault.localeCompare(b.fault))
    .map(({ fault, injected, skipped, touched, longestPauseMs, violations }) => [
      fault,
      injected === 0 ? 'not injected' : `${injected}${skipped > 0 ? ` (${skipped} skipped)` : ''}`,
      String(touched),
      `${(longestPauseMs / 1000).toFixed(1)} s`,
      String(violations),
    ])
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)))
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0))).join(' | ')} |`
  const rule = `|${widths.map((width, column) => (column === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`
  const counts = (all: Readonly<Record<string, number>>) =>
    Object.entries(all)
      .map(([name, count]) => `${count} ${name}`)
      .join(', ')
  const refusals = counts(sum.refusals)
  return [
    line(head),
    rule,
    ...rows.map(line),
    '',
    `${sum.requests} requests: ${sum.accepted} accepted, ${sum.refused} refused; ${sum.repeatedSubmits} sent more than once, ` +
      `${sum.reconnects} reconnects. ${counts(sum.ends)}. ${sum.violations.length} violations.`,
    ...(refusals ? [`Submits were refused: ${refusals}.`] : []),
  ].join('\n')
}
