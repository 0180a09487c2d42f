import * as v from 'valibot'
import { Manifest } from './manifest.ts'

/** A value of the models bucket, at `modelKey(name, version)`: what everybody must know of a version. */
export const KnownVersion = v.object({
  ...Manifest.entries,
  /** It is the registry's: any node can fetch its files by address. Without it, only nodes with its folder have it. */
  registered: v.optional(v.literal(true)),
  /** It runs for whoever names it, and is not what a bare model name means while there is another. */
  deprecated: v.optional(v.literal(true)),
})
export type KnownVersion = v.InferOutput<typeof KnownVersion>
