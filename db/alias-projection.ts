import { isDeepStrictEqual } from 'node:util'
import type { ModelAliases } from '@oriel/protocol/alias'
import type { AliasBucket } from './alias-bucket.ts'
import type { AliasTable } from './alias-table.ts'
import type { Log } from './log.ts'

/** Between two looks at everything, which mends whatever went another way. */
const WHOLE_MS = 60_000
/** How far each look goes back: a change may show only when its transaction ends. */
const LATELY_S = 30

export interface AliasProjectionOptions {
  readonly table: Pick<AliasTable, 'changed'>
  readonly bucket: () => Promise<Pick<AliasBucket, 'read' | 'put' | 'drop'>>
  readonly now: () => number
  readonly log: Log
}

/** Keeps the bucket of aliases at what PostgreSQL says of them. Two may do it at a time. */
export class AliasProjection {
  readonly #options: AliasProjectionOptions
  /** What the bucket has; `undefined`: to be read. */
  #found: Map<string, ModelAliases> | undefined
  #wholeAt = Number.NEGATIVE_INFINITY

  constructor(options: AliasProjectionOptions) {
    this.#options = options
  }

  /** The broker came back, perhaps without its state. */
  forget(): void {
    this.#found = undefined
  }

  /** @throws when the database or the broker is away */
  async look(): Promise<void> {
    const { table, bucket, now, log } = this.#options
    const at = now()
    const whole = this.#found === undefined || at - this.#wholeAt >= WHOLE_MS
    const wanted = await table.changed(whole ? undefined : { seconds: LATELY_S })
    if (!whole && wanted.size === 0) return
    const store = await bucket()
    const found = whole ? await store.read() : (this.#found ?? new Map<string, ModelAliases>())
    this.#found = undefined // until all is written: who knows how far it comes
    const dropped = whole ? [...found.keys()].filter((model) => !wanted.has(model)) : []
    for (const [model, aliases] of [...wanted, ...dropped.map((model) => [model, {}] as const)]) {
      const isNone = Object.keys(aliases).length === 0
      if (isDeepStrictEqual(found.get(model), isNone ? undefined : aliases)) continue
      await (isNone ? store.drop(model) : store.put(model, aliases))
      if (isNone) found.delete(model)
      else found.set(model, aliases)
      log('info', 'aliases are told', { model, aliases })
    }
    this.#found = found
    if (whole) this.#wholeAt = at
  }
}
