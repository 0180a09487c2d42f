import { isDeepStrictEqual } from 'node:util'
import type { RequestEvent } from '@oriel/protocol/event'

/** Whether two events are the same in the log, whatever the order of their fields here and there. */
export const sameEvent = (a: RequestEvent, b: RequestEvent): boolean => isDeepStrictEqual(stored(a), stored(b))

/** As JSON has it: without what is undefined, and -0 and NaN as they come back. */
const stored = (event: RequestEvent): unknown => JSON.parse(JSON.stringify(event))
