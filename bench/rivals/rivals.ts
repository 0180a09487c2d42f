import { oriel } from './oriel.ts'
import type { Rival } from './rival.ts'
import { triton } from './triton.ts'

/** In the order of the table. */
export const RIVALS = { oriel, triton } as const satisfies Record<string, Rival>

export type RivalName = keyof typeof RIVALS
