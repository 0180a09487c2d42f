import { expect, test } from 'bun:test'
import type { RequestEvent } from '@oriel/protocol/event'
import { newRequestId } from '@oriel/protocol/ids'
import type { RequestLog } from './request-log.ts'

const started = (n: number, node: string): RequestEvent => ({ n, at: 1, type: 'started', node, attempt: n })
const said = (n: number, response: unknown): RequestEvent => ({ n, at: 2, type: 'responses', response, tokens: [n] })

/** What every RequestLog does; run over each implementation. */
export function requestLogSuite(open: () => Promise<RequestLog>): void {
  const fresh = async () => ({ log: await open(), id: newRequestId(Date.now()) })

  test('a log that nobody wrote is empty', async () => {
    const { log, id } = await fresh()
    expect(await log.read(0, id)).toEqual({ events: [], sequence: 0 })
  })

  test('events are read back as they were added, in order', async () => {
    const { log, id } = await fresh()
    const events = [started(1, 'a'), said(2, 'Once "upon"\n'), said(3, { label: 'ü', scores: [0.1, 2e-9] })]
    let sequence: number | 'fenced' = 0
    for (const event of events) {
      sequence = await log.append(0, id, event, sequence)
      if (sequence === 'fenced') throw new Error('fenced')
    }
    expect(await log.read(0, id)).toEqual({ events, sequence })
  })

  test('the second author at one place is fenced and changes nothing', async () => {
    const { log, id } = await fresh()
    const sequence = await log.append(0, id, started(1, 'a'), 0)
    expect(await log.append(0, id, started(1, 'b'), 0)).toBe('fenced')
    expect(await log.append(0, id, said(2, 'x'), Number(sequence) + 7)).toBe('fenced')
    expect(await log.read(0, id)).toEqual({ events: [started(1, 'a')], sequence: Number(sequence) })
  })

  test('of many authors that race for one place, one wins', async () => {
    const { log, id } = await fresh()
    const nodes = Array.from({ length: 16 }, (_, index) => `node-${index}`)
    const answers = await Promise.all(nodes.map((node) => log.append(0, id, started(1, node), 0)))
    expect(answers.filter((answer) => answer !== 'fenced')).toHaveLength(1)
    const winner = nodes[answers.findIndex((answer) => answer !== 'fenced')]
    expect((await log.read(0, id)).events).toEqual([started(1, String(winner))])
  })

  test('logs of other requests and shards do not fence each other', async () => {
    const { log, id } = await fresh()
    const other = newRequestId(Date.now())
    expect(await log.append(0, id, started(1, 'a'), 0)).toBeNumber()
    expect(await log.append(0, other, started(1, 'b'), 0)).toBeNumber()
    expect(await log.append(1, id, started(1, 'c'), 0)).toBeNumber()
    expect((await log.read(0, id)).events).toEqual([started(1, 'a')])
    expect((await log.read(1, id)).events).toEqual([started(1, 'c')])
  })

  test('a log longer than one batch of reading is read whole', async () => {
    const { log, id } = await fresh()
    let sequence = 0
    for (let n = 1; n <= 1_100; n++) sequence = Number(await log.append(0, id, said(n, 'x'), sequence))
    const read = await log.read(0, id)
    expect(read.events.map(({ n }) => n)).toEqual(Array.from({ length: 1_100 }, (_, index) => index + 1))
    expect(read.sequence).toBe(sequence)
  })
}
