import * as v from 'valibot'

/** What a user, or a key, may ask for. What is absent is not limited. */
export const Limits = v.object({
  /** A bucket of `burst` requests, filled again by `perSecond`. */
  rate: v.optional(v.object({ perSecond: v.number(), burst: v.number() })),
  /** Requests under way. */
  concurrent: v.optional(v.number()),
  /** Of requests, in a day of UTC. */
  bytesPerDay: v.optional(v.number()),
})
export type Limits = v.InferOutput<typeof Limits>

export const isLimited = (limits: Limits): boolean => Object.values(limits).some((limit) => limit !== undefined)
