import type { Parameters } from '@oriel/protocol/parameters'

/** The seed of a request's sampling: the caller's, else the same one on every node that ever runs the request. */
export function seedOf(id: string, parameters: Parameters): number {
  return typeof parameters.seed === 'number' ? parameters.seed : fnv1a(id)
}

/** 32-bit FNV-1a of ASCII text: http://www.isthe.com/chongo/tech/comp/fnv/ */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  return hash >>> 0
}
