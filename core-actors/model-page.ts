import type { KnownVersion } from '@oriel/protocol/known-version'

/** Which models are wanted: a page of those by name that have the words in what is told of them. */
export interface ModelQuery {
  readonly q?: string | undefined
  /** The last name of the page before. */
  readonly after?: string | undefined
  readonly limit: number
}

/** Whether every word is in the name of a model, or in what a version of it says of itself. */
export function matches(name: string, versions: Iterable<KnownVersion>, q: string | undefined): boolean {
  const words = (q ?? '')
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '')
  if (words.length === 0) return true
  const said = [...versions].flatMap(({ description, owner = '', contact = '' }) => [description, owner, contact])
  const text = [name, ...said].join('\n').toLowerCase()
  return words.every((word) => text.includes(word))
}
