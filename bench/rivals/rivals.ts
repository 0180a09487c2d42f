import { bentoml } from './bentoml.ts'
import { litserve } from './litserve.ts'
import { mlserver } from './mlserver.ts'
import { oriel } from './oriel.ts'
import { rayServe } from './ray-serve.ts'
import type { Rival } from './rival.ts'
import { triton } from './triton.ts'

/** In the order of the table. */
export const RIVALS = { oriel, triton, mlserver, litserve, bentoml, ray: rayServe } as const satisfies Record<
  string,
  Rival
>

export type RivalName = keyof typeof RIVALS
