import * as v from 'valibot'

/** Of a request, an input or an output. */
export const Parameters = v.record(v.string(), v.union([v.string(), v.number(), v.boolean()]))
export type Parameters = v.InferOutput<typeof Parameters>

/** Of the wire format itself; the rest is the model's. */
export const ByteCount = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
export const Shape = v.pipe(v.array(v.pipe(v.number(), v.safeInteger(), v.minValue(0))), v.maxLength(32))
