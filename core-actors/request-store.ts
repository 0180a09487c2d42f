import * as v from 'valibot'
import type { RequestState } from './request.ts'
import { End, OpenRequest } from './request.ts'

// Keys of the actor's storage. `request` and `end` are each written once, the others only in special cases.
const REQUEST = 'request'
const END = 'end'
/** Of a request with `onDisconnect: "cancel"`: that it has a client, or when the last one left. */
const CLIENT = 'client'
/** Of one that has ended: the record was seen to have it. */
const RECORDED = 'recorded'
/** The broker did not confirm the job or the fact. */
const UNSURE = 'unsure'
/** How many times the job was sent anew because the broker had lost it, when that was more than once. */
const DISPATCH = 'dispatch'
/** Of an open request that was queued again: the end that its log goes on after. */
const UNDONE = 'undone'

const Client = v.optional(v.union([v.literal('here'), v.number()]))

/** @param now a client that was there before a reset is taken to have left now, until it comes back */
export function loadState(kv: SyncKvStorage, now: number): RequestState {
  const stored = kv.get(REQUEST)
  if (stored === undefined) return { mode: 'new' }
  const request = v.parse(OpenRequest, stored)
  const end = v.parse(v.optional(End), kv.get(END))
  if (end) return { mode: 'ended', request, end, recorded: kv.get(RECORDED) === end.n }
  const undone = v.parse(v.optional(End), kv.get(UNDONE))
  const open = { mode: 'open', request, ...(undone && { undone }) } as const
  const client = v.parse(Client, kv.get(CLIENT))
  if (client === undefined) return open
  if (client === 'here') kv.put(CLIENT, now) // else every further reset would begin the grace anew
  return { ...open, leftAt: client === 'here' ? now : client }
}

export const loadUnsure = (kv: SyncKvStorage): boolean => kv.get(UNSURE) !== undefined

export const loadDispatch = (kv: SyncKvStorage): number => v.parse(v.optional(v.number(), 1), kv.get(DISPATCH))

export const storeDispatch = (kv: SyncKvStorage, dispatch: number): void => kv.put(DISPATCH, dispatch)

export const storeOpen = (kv: SyncKvStorage, request: OpenRequest): void => kv.put(REQUEST, request)

/** An ended request becomes an open one: its end is about to be undone, and clients that left it are not missed. */
export function storeReopened(kv: SyncKvStorage, request: OpenRequest, end: End): void {
  kv.put(REQUEST, request)
  kv.put(UNDONE, end)
  kv.delete(END)
  kv.delete(CLIENT)
}

export function storeEnd(kv: SyncKvStorage, end: End): void {
  kv.put(END, end)
  kv.delete(UNDONE)
}

/** Says of which end: a request that is queued again ends again. */
export const storeRecorded = (kv: SyncKvStorage, { n }: End): void => kv.put(RECORDED, n)

export const storeClient = (kv: SyncKvStorage, client: 'here' | number): void => kv.put(CLIENT, client)

export function storeUnsure(kv: SyncKvStorage, unsure: boolean): void {
  if (unsure) kv.put(UNSURE, true)
  else kv.delete(UNSURE)
}

/** After this the object holds nothing and costs nothing. */
export async function clearState(storage: Pick<DurableObjectStorage, 'deleteAlarm' | 'deleteAll'>): Promise<void> {
  await storage.deleteAlarm()
  await storage.deleteAll()
}
