import { RequestView } from '@oriel/protocol/api'
import { TERMINAL } from '@oriel/protocol/event'
import * as v from 'valibot'
import { type Client, isTerminal, type Received, received } from '../support/client.ts'
import type { Connection, Poll } from './observation.ts'

/** As EventSource does. */
const RECONNECT_MS = 500
/** More than two heartbeats: a connection that gives no sign for so long is dead, whatever TCP thinks. */
const SILENCE_MS = 25_000
const POLL_MS = 10_000

/** Reads a request's events to the end, over as many connections as it takes, and leaves in between as planned. */
export async function stream(
  client: Client,
  requestID: string,
  leaves: readonly { readonly after: number; readonly forMs: number }[],
  connections: Connection[],
  stop: AbortSignal,
  saw: (event: Received) => void,
): Promise<void> {
  const planned = [...leaves]
  let last = 0
  for (;;) {
    const openedAt = Date.now()
    const connection: Connection = {
      openedAt,
      after: last,
      status: undefined,
      events: [],
      closedAt: openedAt,
      end: 'open',
    }
    connections.push(connection)
    await readOne(client, requestID, connection, planned[0]?.after, stop, saw)
    connection.closedAt = Date.now()
    last = connection.events.at(-1)?.id ?? last
    if (stop.aborted || isTerminal(connection.events.at(-1))) return
    const { status } = connection
    // Any other answer ends an EventSource for good; that the service is away for a moment is not the request's fault.
    if (status !== undefined && status !== 200 && status < 500) return
    if (connection.end === 'left') await Bun.sleep(planned.shift()?.forMs ?? 0)
    else await Bun.sleep(RECONNECT_MS)
  }
}

async function readOne(
  client: Client,
  requestID: string,
  connection: Connection,
  leaveAfter: number | undefined,
  stop: AbortSignal,
  saw: (event: Received) => void,
): Promise<void> {
  const own = new AbortController()
  const leave = (end: Connection['end']) => {
    connection.end = end
    own.abort()
  }
  const silence = setTimeout(() => leave('silent'), SILENCE_MS)
  try {
    const signal = AbortSignal.any([own.signal, stop])
    const response = await client.open(requestID, { signal, ...(connection.after > 0 && { after: connection.after }) })
    connection.status = response.status
    if (response.status !== 200 || !response.body) return
    if (leaveAfter !== undefined && leaveAfter <= connection.after) return leave('left')
    const heard = response.body.pipeThrough(
      new TransformStream({
        transform(chunk, controller) {
          silence.refresh()
          controller.enqueue(chunk)
        },
      }),
    )
    for await (const event of received(new Response(heard))) {
      connection.events.push({ ...event, at: Date.now() })
      saw(event)
      if (leaveAfter !== undefined && event.id >= leaveAfter && !isTerminal(event)) return leave('left')
    }
    connection.end = 'closed'
  } catch {
    if (connection.end === 'open') connection.end = 'torn'
  } finally {
    clearTimeout(silence)
  }
}

/** Asks for what is new until the request has ended. */
export async function poll(
  client: Client,
  requestID: string,
  everyMs: number,
  polls: Poll[],
  stop: AbortSignal,
): Promise<void> {
  let after = 0
  while (!stop.aborted) {
    try {
      const signal = AbortSignal.any([AbortSignal.timeout(POLL_MS), stop])
      const response = await client.send(`/requests/${requestID}?after=${after}`, { signal })
      const text = await response.text()
      if (response.status === 200) {
        const view = v.parse(v.pipe(v.string(), v.parseJson(), RequestView), text)
        polls.push({ at: Date.now(), after, answer: { kind: 'view', view } })
        after = view.lastEventID
        if (TERMINAL.some((type) => type === view.status)) return
      } else if (response.status < 500) {
        polls.push({ at: Date.now(), after, answer: { kind: 'refused', why: `${response.status} ${text}` } })
        return
      }
    } catch {
      // Cut off, or not answered in time: asked again.
    }
    await Bun.sleep(everyMs)
  }
}
