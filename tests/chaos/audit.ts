import { HistoryPage, RequestView } from '@oriel/protocol/api'
import { TERMINAL } from '@oriel/protocol/event'
import * as v from 'valibot'
import { type Client, received } from '../support/client.ts'
import type { Load } from './load.ts'
import { type Afterwards, type RequestObservation, standingOf } from './observation.ts'

const WIDTH = 8
const ANSWER_MS = 15_000
const AGAIN_MS = 500

/** Looks every request up when all is quiet. Waits for those that have not ended until `patience` is over. */
export async function lookUpAll(load: Load, patience: AbortSignal, stop: AbortSignal): Promise<void> {
  const left = load.requests.values()
  const lane = async () => {
    for (const request of left) {
      if (stop.aborted) return
      request.afterwards = await lookUp(await load.client(request.planned.user), request, patience)
    }
  }
  await Promise.all(Array.from({ length: WIDTH }, lane))
}

async function lookUp(client: Client, request: RequestObservation, patience: AbortSignal): Promise<Afterwards> {
  const { requestID } = request.planned
  const isAwaited = standingOf(request) !== 'refused'
  for (;;) {
    const { status, view } = await ask(client, requestID)
    const over = view && TERMINAL.some((type) => type === view.status)
    const settled = over || (status === 404 && !isAwaited) || patience.aborted
    if (settled && !view) return { status, view, log: [] }
    if (settled) {
      const log = await logOf(client, requestID, over === true)
      if (log || patience.aborted) return { status, view, log: log ?? [] }
    }
    await Bun.sleep(AGAIN_MS)
  }
}

async function ask(client: Client, requestID: string): Promise<{ status: number; view: RequestView | undefined }> {
  try {
    const response = await client.send(`/requests/${requestID}`, { signal: AbortSignal.timeout(ANSWER_MS) })
    const text = await response.text()
    if (response.status !== 200) return { status: response.status, view: undefined }
    return { status: 200, view: v.parse(v.pipe(v.string(), v.parseJson(), RequestView), text) }
  } catch {
    return { status: 0, view: undefined } // no answer; asked again while there is patience
  }
}

/** All events from the first on. @returns undefined when it could not be read to its end */
async function logOf(client: Client, requestID: string, over: boolean): Promise<Afterwards['log'] | undefined> {
  const log: Afterwards['log'][number][] = []
  try {
    const signal = AbortSignal.timeout(over ? ANSWER_MS : 1_000)
    const response = await client.open(requestID, { signal })
    if (response.status !== 200) return undefined
    for await (const event of received(response)) log.push(event)
    return log
  } catch {
    return over ? undefined : log // of one that goes on, what there is
  }
}

/** The whole history of every user, as soon as all their requests have ended in it. */
export async function readHistories(load: Load, patience: AbortSignal): Promise<Map<string, RequestView[]>> {
  const users = Map.groupBy(load.requests, ({ planned }) => planned.user)
  const histories = new Map<string, RequestView[]>()
  for (const [user, requests] of users) {
    const accepted = requests.filter((request) => standingOf(request) === 'accepted')
    const client = await load.client(user)
    for (;;) {
      const items = await historyOf(client)
      if (items) histories.set(user, items)
      const ended = new Set(
        items?.filter(({ status }) => TERMINAL.some((type) => type === status)).map(({ requestID }) => requestID),
      )
      if (accepted.every(({ planned }) => ended.has(planned.requestID)) || patience.aborted) break
      await Bun.sleep(AGAIN_MS)
    }
  }
  return histories
}

async function historyOf(client: Client): Promise<RequestView[] | undefined> {
  const items: RequestView[] = []
  let cursor: string | null = ''
  while (cursor !== null) {
    const signal = AbortSignal.timeout(ANSWER_MS)
    try {
      const response = await client.send(`/requests?limit=100&nextCursor=${encodeURIComponent(cursor)}`, { signal })
      if (response.status !== 200) return undefined
      const page = v.parse(HistoryPage, await response.json())
      items.push(...page.requests)
      cursor = page.nextCursor
    } catch {
      return undefined // no whole history: read again while there is patience
    }
  }
  return items
}
