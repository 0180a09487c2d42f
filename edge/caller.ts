import { SCOPES, type Scope } from '@oriel/protocol/api'
import { ProblemError } from '@oriel/protocol/problem'

export type { Scope }

/** Who is calling, however they proved it. */
export interface Caller {
  readonly user: string
  readonly scopes: ReadonlySet<Scope>
}

/** The scopes that Oriel knows in a space-separated list. Others are some other service's. */
export const scopesIn = (text: string): Scope[] => SCOPES.filter((scope) => text.split(' ').includes(scope))

/** @throws ProblemError forbidden */
export function demand({ scopes }: Caller, scope: Scope): void {
  if (scopes.has(scope)) return
  throw new ProblemError({ kind: 'forbidden', detail: `This needs the scope ${scope}, which your token lacks.` })
}
