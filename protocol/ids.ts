import { v7 } from 'uuid'
import * as v from 'valibot'

/**
 * Oriel's own name for a request: UUIDv7, given at acceptance. Its first 48 bits are the time of
 * sending in ms, so ids sort by time and every table can be partitioned by id.
 */
export const RequestId = v.pipe(v.string(), v.uuid())
export type RequestId = v.InferOutput<typeof RequestId>

/** The user's name for a request: unique per user, given by the client or, failing that, the request's id. */
export const ClientRequestID = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{1,64}$/))

/** @param now time of sending, ms since the epoch */
export const newRequestId = (now: number): RequestId => v7({ msecs: now })

/** The time of sending that a UUIDv7 carries, ms since the epoch. */
export const sentAtOf = (id: RequestId): number => Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)

/** Which of `shards` relays has this request. The tail of a UUIDv7 is random, so it spreads evenly. */
export const shardOf = (id: RequestId, shards: number): number => Number.parseInt(id.slice(-8), 16) % shards
