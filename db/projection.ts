import { isDeepStrictEqual } from 'node:util'
import type { KnownVersion } from '@oriel/protocol/known-version'
import type { Registered } from './registered.ts'

/** What has to change in the bucket, so that it says of registered versions what the registry says. */
export interface Changes {
  readonly put: readonly { readonly key: string; readonly known: KnownVersion }[]
  readonly drop: readonly string[]
}

/**
 * @param wanted what the registry says of versions; of others it says nothing
 * @param found what the bucket has
 * @param whole `wanted` is every registered version: what the bucket has beside them is nobody's
 */
export function changesOf(
  wanted: readonly Registered[],
  found: ReadonlyMap<string, KnownVersion>,
  whole: boolean,
): Changes {
  const put = wanted.flatMap(({ key, known }) =>
    known && !isDeepStrictEqual(found.get(key), known) ? [{ key, known }] : [],
  )
  const kept = new Set(wanted.flatMap(({ key, known }) => (known ? [key] : [])))
  const named = new Set(wanted.map(({ key }) => key))
  // What nodes announce from their folders is not the registry's business.
  const ours = [...found].filter(([key, known]) => known.registered && !kept.has(key) && (whole || named.has(key)))
  return { put, drop: ours.map(([key]) => key) }
}
