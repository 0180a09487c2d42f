import type { RecentEntry } from '@oriel/core-actors/recent'
import type { RecentPage } from '@oriel/core-actors/user-port'
import { decodeCursor, encodeCursor } from '@oriel/db/cursor'
import { PAGE_BYTES } from '@oriel/db/history'
import type { Recorded } from '@oriel/db/recorded'
import type { HistoryPage, RequestView } from '@oriel/protocol/api'
import { sentAtOf } from '@oriel/protocol/ids'
import { ProblemError } from '@oriel/protocol/problem'
import { LOG_MAX_AGE_MS } from '@oriel/protocol/streams'
import { viewOf } from '@oriel/protocol/view'
import { type HotItem, hotPage, mergePage, type RecordedPart } from './history-page.ts'
import type { Platform } from './platform.ts'

/** Actors that are asked at once for one page: more would hold more logs in memory before the page is known to be full. */
const ASKED_AT_ONCE = 20

/**
 * A page of a user's history: of their recent requests from the actors, which are never behind what the user saw,
 * and of the others from the record.
 * @throws ProblemError invalid-cursor; unavailable when what belongs on the page cannot be shown now
 */
export async function historyPage(platform: Platform, user: string, cursor: string, limit: number) {
  const before = cursor === '' ? undefined : decodeCursor(user, cursor)
  const recent = await platform.user(user, (actor) => actor.recent(before))
  const { entries, whole } = recent
  const { hot, more } = await readHot(platform, user, recent, limit)
  const page = hotPage(hot, more, whole, limit) ?? (await askBoth())
  if (page.kind === 'blocked') {
    const detail = 'The history cannot be read to its end just now; try again.'
    throw new ProblemError({ kind: 'unavailable', detail, retryAfterMs: 2_000 })
  }
  return {
    requests: page.items.map(({ view }) => view),
    nextCursor: page.next === undefined ? null : encodeCursor(user, page.next),
    limit,
  } satisfies HistoryPage

  async function askBoth() {
    // A record that may lack what the actors no longer tell would leave it out, and nobody would know.
    const recorded = recent.behind ? AWAY : await readRecord(platform, user, cursor, limit, hot)
    const ids = new Set(entries.map(({ id }) => id))
    const nothingElse = recorded.kind === 'page' && !recorded.next && recorded.items.every(({ id }) => ids.has(id))
    if (nothingElse && before === undefined) await platform.user(user, (actor) => actor.nothingElse())
    return mergePage(hot, more, recorded, limit)
  }
}

const AWAY: RecordedPart = { kind: 'away' }

/** As many of the recent requests as fit a page, each from its actor. */
async function readHot(platform: Platform, user: string, { entries: recent, more }: RecentPage, limit: number) {
  const hot: HotItem[] = []
  let bytes = 0
  let taken = 0
  while (taken < recent.length && hot.length < limit && bytes < PAGE_BYTES) {
    const asked = recent.slice(taken, taken + Math.min(ASKED_AT_ONCE, limit - hot.length))
    taken += asked.length
    const items = await Promise.all(asked.map((entry) => readActor(platform, user, entry)))
    hot.push(...items.filter((item) => item !== undefined))
    bytes += JSON.stringify(items).length
  }
  return { hot, more: more || taken < recent.length }
}

/** @returns `undefined` for a request that was not accepted, or not yet */
async function readActor(
  platform: Platform,
  user: string,
  { id, requestID }: RecentEntry,
): Promise<HotItem | undefined> {
  try {
    const known = await platform.actor(user, requestID, (actor) => actor.known(id))
    if (known.kind === 'whole') {
      const { request, status, events } = known.snapshot
      return { id, view: viewOf({ ...request, status }, events) }
    }
    if (known.kind === 'record') return { id, accepted: true }
    // An actor that has forgotten its request looks the same as one that never had it, but not so soon.
    return sentAtOf(id) + LOG_MAX_AGE_MS < Date.now() ? { id, accepted: false } : undefined
  } catch (error) {
    console.warn('a recent request could not be asked where it stands', error)
    return { id, accepted: true }
  }
}

async function readRecord(
  platform: Platform,
  user: string,
  cursor: string,
  limit: number,
  hot: readonly HotItem[],
): Promise<RecordedPart> {
  try {
    const page = await platform.history((history) => history.page(user, cursor || undefined, limit))
    const shown = new Set(hot.flatMap(({ id, view }) => (view ? [id] : [])))
    const items = page.items.map(async (item) => ({
      id: item.id,
      whole: item.status !== 'accepted',
      view: shown.has(item.id) ? viewOf(item, item.events) : await viewOfRecorded(platform, user, item),
    }))
    return { kind: 'page', items: await Promise.all(items), next: page.next !== undefined }
  } catch (error) {
    if (!(error instanceof ProblemError) || error.problem.kind !== 'unavailable') throw error
    if (hot.length === 0) throw error
    console.warn('the record cannot be asked; the page has recent requests alone', error)
    return { kind: 'away' }
  }
}

/**
 * What has not ended in the record may have got further, and what failed may have been queued again: its actor
 * knows. Without it the page is only older.
 */
async function viewOfRecorded(platform: Platform, user: string, item: Recorded): Promise<RequestView> {
  const recorded = viewOf(item, item.events)
  if (item.status !== 'accepted' && item.status !== 'failed') return recorded
  try {
    const known = await platform.actor(user, item.requestID, (actor) => actor.known(item.id))
    if (known.kind !== 'whole') return recorded
    return viewOf({ ...known.snapshot.request, status: known.snapshot.status }, known.snapshot.events)
  } catch (error) {
    console.warn('a request that is under way could not be asked where it stands', error)
    return recorded
  }
}
