import type { RequestView } from '@oriel/protocol/api'

// One page of a user's history, made of what the actors tell (hot) and what the record has.
//
// - The hot list has everything that was accepted after its floor; the record has it sooner or later.
// - With enough hot requests for a page, or when there is nothing else, the record is not asked.
// - Otherwise the page is the newest of both together, by id. A request in both is taken from whichever has
//   seen more of its events.
// - A page never goes on past a request that it cannot show: it ends before it, and its cursor leads to it.

/** A recent request. Without a view only the record can show it; `accepted`: then it must. */
export type HotItem =
  | { readonly id: string; readonly view: RequestView }
  | { readonly id: string; readonly view?: undefined; readonly accepted: boolean }

export interface ShownItem {
  readonly id: string
  readonly view: RequestView
}

/** `whole`: the record has its end too. */
export interface RecordedItem extends ShownItem {
  readonly whole: boolean
}

/** `away`: the record cannot be asked. `next`: it has more after its last item. */
export type RecordedPart =
  | { readonly kind: 'page'; readonly items: readonly RecordedItem[]; readonly next: boolean }
  | { readonly kind: 'away' }

/** `items`: newest first. `next`: the id after which there may be more. `blocked`: the first request cannot be shown now. */
export type MergedPage =
  | { readonly kind: 'page'; readonly items: readonly ShownItem[]; readonly next: string | undefined }
  | { readonly kind: 'blocked' }

/**
 * @param hot newest first
 * @param more there are further hot requests after these
 * @param whole the record has nothing that is not hot
 * @returns a page of hot requests alone, or `undefined`: the record has to be asked
 */
export function hotPage(hot: readonly HotItem[], more: boolean, whole: boolean, limit: number): MergedPage | undefined {
  const items = hot.slice(0, limit)
  const last = items.at(-1)
  const over = whole && !more
  if (!over && (!last || (items.length < limit && !more))) return undefined
  const shown = items.flatMap(({ id, view }) => (view ? [{ id, view }] : []))
  return shown.length === items.length ? { kind: 'page', items: shown, next: over ? undefined : last?.id } : undefined
}

/** @param recorded the newest of the record in the same range, at most `limit` */
export function mergePage(hot: readonly HotItem[], more: boolean, recorded: RecordedPart, limit: number): MergedPage {
  const hotById = new Map(hot.map((item) => [item.id, item]))
  const record = new Map(recorded.kind === 'page' ? recorded.items.map((item) => [item.id, item]) : [])
  // After the last of either there may be more of it, so what the other has from there on is for the next page.
  const ends = [more ? hot.at(-1)?.id : undefined, lastOf(recorded)].filter((id) => id !== undefined)
  const end = ends.sort().at(-1)
  const items: ShownItem[] = []
  for (const id of [...new Set([...hotById.keys(), ...record.keys()])].sort().reverse()) {
    if (end !== undefined && id < end) break
    const item = hotById.get(id)
    const view = viewFor(item, record.get(id))
    if (items.length === limit) return upTo(items)
    if (view) items.push({ id, view })
    else if (recorded.kind === 'away' || (item && !item.view && item.accepted)) return upTo(items)
    // Else the record answered and has it not: it was never accepted.
  }
  if (end !== undefined) return { kind: 'page', items, next: end }
  return recorded.kind === 'away' ? upTo(items) : { kind: 'page', items, next: undefined }
}

/** A page that ends after these, because what follows cannot be shown or is too much. */
function upTo(items: readonly ShownItem[]): MergedPage {
  const last = items.at(-1)
  return last ? { kind: 'page', items, next: last.id } : { kind: 'blocked' }
}

const lastOf = (recorded: RecordedPart) =>
  recorded.kind === 'page' && recorded.next ? recorded.items.at(-1)?.id : undefined

/** Of a request that is accepted and whose actor cannot tell, the record shows only what is whole: else it may be behind. */
function viewFor(hot: HotItem | undefined, recorded: RecordedItem | undefined): RequestView | undefined {
  if (!recorded) return hot?.view
  if (!hot) return recorded.view
  if (!hot.view) return hot.accepted && !recorded.whole ? undefined : recorded.view
  return recorded.view.lastEventID > hot.view.lastEventID ? recorded.view : hot.view
}
