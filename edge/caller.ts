import type { KeyAllowance } from '@oriel/core-actors/limits'
import { SCOPES, type Scope } from '@oriel/protocol/api'
import { ProblemError } from '@oriel/protocol/problem'
import * as v from 'valibot'

export type { Scope }

/** It goes into object names and the database: any text, but bounded and without control characters. */
export const UserName = v.pipe(
  v.string(),
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is being refused
  v.regex(/^[^\u0000-\u001f\u007f]{1,256}$/),
  v.check((name) => name.isWellFormed()),
)

/** Who is calling, however they proved it. */
export interface Caller {
  readonly user: string
  readonly scopes: ReadonlySet<Scope>
  /** The key that they came with, if that has limits of its own. */
  readonly key?: KeyAllowance
}

/** The scopes that Oriel knows in a space-separated list. Others are some other service's. */
export const scopesIn = (text: string): Scope[] => SCOPES.filter((scope) => text.split(' ').includes(scope))

/** @throws ProblemError forbidden */
export function demand({ scopes }: Caller, scope: Scope): void {
  if (scopes.has(scope)) return
  throw new ProblemError({ kind: 'forbidden', detail: `This needs the scope ${scope}, which your token lacks.` })
}
