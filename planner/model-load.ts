/** What the planner knows of a model. */
export interface ModelLoad {
  readonly name: string
  /** Requests in a second, as measured of late. */
  readonly volume: number
  /** Of its files. */
  readonly bytes: number
}

/** The largest volume first; models of the same volume in an order that is always the same. */
export const byVolume = (a: ModelLoad, b: ModelLoad): number =>
  b.volume - a.volume || b.bytes - a.bytes || (a.name < b.name ? -1 : 1)
