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
  const policies = usage.map((limit) => {
    const { name, quota, windowS } = limit
    return item(policyOf(limit), { q: quota, qu: UNITS[name], w: windowS })
  })
  const left = usage.map((limit) => item(policyOf(limit), { r: limit.left, t: limit.resetS }))
  return { 'RateLimit-Policy': policies.join(', '), RateLimit: left.join(', ') }
}

const policyOf = ({ whose, name }: Usage) => (whose === 'key' ? `key-${name}` : name)

function item(name: string, parameters: Record<string, string | number | undefined>): string {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined)
  return `"${name}"${given.map(([key, value]) => `;${key}=${typeof value === 'string' ? `"${value}"` : value}`).join('')}`
}
