import * as v from 'valibot'
import type { RequestState } from './request.ts'
import { End, OpenRequest } from './request.ts'

// Keys of the actor's storage. `request` and `end` are each written once.
const REQUEST = 'request'
const END = 'end'
const LEFT = 'left'

export function loadState(kv: SyncKvStorage): RequestState {
  const stored = kv.get(REQUEST)
  if (stored === undefined) return { mode: 'new' }
  const request = v.parse(OpenRequest, stored)
  const end = v.parse(v.optional(End), kv.get(END))
  if (end) return { mode: 'ended', request, end }
  const leftAt = v.parse(v.optional(v.number()), kv.get(LEFT))
  return leftAt === undefined ? { mode: 'open', request } : { mode: 'open', request, leftAt }
}

export const storeOpen = (kv: SyncKvStorage, request: OpenRequest): void => kv.put(REQUEST, request)

export const storeEnd = (kv: SyncKvStorage, end: End): void => kv.put(END, end)

export function storeLeft(kv: SyncKvStorage, at: number | undefined): void {
  if (at === undefined) kv.delete(LEFT)
  else kv.put(LEFT, at)
}

/** After this the object holds nothing and costs nothing. */
export async function clearState(storage: DurableObjectStorage): Promise<void> {
  await storage.deleteAlarm()
  await storage.deleteAll()
}
