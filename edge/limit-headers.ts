import type { LimitName, Usage } from '@oriel/core-actors/limits'

/** Units as draft-ietf-httpapi-ratelimit-headers registers them; requests are the default. */
const UNITS = { rate: undefined, concurrent: 'concurrent-requests', bytes: 'content-bytes' } as const satisfies Record<
  LimitName,
  string | undefined
>

/**
 * The header fields of draft-ietf-httpapi-ratelimit-headers, as structured fields: what the limits are (`q` for each `w`
 * seconds), and what is left (`r`; all of it is back in `t` seconds).
 */
export function limitHeaders(usage: readonly Usage[] | undefined): Record<string, string> {
  if (!usage) return {}
  const policies = usage.map(({ name, quota, windowS }) => item(name, { q: quota, qu: UNITS[name], w: windowS }))
  const left = usage.map(({ name, left, resetS }) => item(name, { r: left, t: resetS }))
  return { 'RateLimit-Policy': policies.join(', '), RateLimit: left.join(', ') }
}

function item(name: string, parameters: Record<string, string | number | undefined>): string {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined)
  return `"${name}"${given.map(([key, value]) => `;${key}=${typeof value === 'string' ? `"${value}"` : value}`).join('')}`
}
