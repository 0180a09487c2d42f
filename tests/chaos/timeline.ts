import type { Observation, RequestObservation } from './observation.ts'
import { lifeOf } from './report.ts'

const AROUND_MS = 15_000

/** All that is known of one request, in the order of time: its clients, its log, and the faults around it. */
export function timelineOf(request: RequestObservation, { faults, histories }: Observation): string[] {
  const { planned, submits, connections, polls, cancellations, afterwards } = request
  const life = lifeOf(request)
  const lines: { at: number; line: string }[] = []
  const add = (at: number, line: string) => void lines.push({ at, line })
  for (const { at, answeredAt, outcome } of submits) {
    add(at, 'client  submits')
    add(answeredAt, `client  ${JSON.stringify(outcome)}`)
  }
  for (const { openedAt, after, status, events, closedAt, end } of connections) {
    add(openedAt, `client  opens the events after ${after}: ${status ?? 'no answer'}`)
    for (const { at, id, type, data } of events) add(at, `client  gets ${id} ${type} ${JSON.stringify(data)}`)
    add(closedAt, `client  connection ${end}`)
  }
  for (const { at, after, answer } of polls) add(at, `client  polls after ${after}: ${JSON.stringify(answer)}`)
  for (const { at, answeredAt, outcome } of cancellations) {
    add(at, 'client  cancels')
    add(answeredAt, `client  ${JSON.stringify(outcome)}`)
  }
  for (const { id, type, data } of afterwards?.log ?? [])
    add(Date.parse(String(data.sentAt)), `log     ${id} ${type} ${JSON.stringify(data)}`)
  for (const { fault, target, at, until, skipped } of faults) {
    if (until < life.from - AROUND_MS || at > life.to + AROUND_MS) continue
    add(at, `fault   ${fault} ${target}${skipped ? ` skipped: ${skipped}` : ''}`)
    add(until, `fault   ${fault} ${target} is over`)
  }
  const item = histories.get(planned.user)?.find(({ requestID }) => requestID === planned.requestID)
  return [
    `${planned.user} ${planned.requestID} ${planned.modelID} ${JSON.stringify(planned.request)}`,
    ...lines.sort((a, b) => a.at - b.at).map(({ at, line }) => `${new Date(at).toISOString().slice(11, 23)} ${line}`),
    `afterwards GET answers ${afterwards?.status ?? 'nothing'} ${JSON.stringify(afterwards?.view)}`,
    `history ${JSON.stringify(item)}`,
  ]
}
