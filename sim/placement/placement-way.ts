/** A way of placing models on nodes. */
export interface PlacementWay {
  readonly name: string
  /** Who is there now. */
  nodes(there: readonly number[], at: number): void
  /** Called every `TICK_S`, with the requests since the last time, by model. */
  tick(requests: ReadonlyMap<number, number>, at: number): void
  /** The node that takes a request. */
  route(model: number): number
  /** How many models have a new home, over all changes. */
  readonly moves: number
}

export const TICK_S = 60
