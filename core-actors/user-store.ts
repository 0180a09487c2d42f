import * as v from 'valibot'
import { EMPTY_METER, Meter } from './limits.ts'
import type { MeterStore } from './meters.ts'
import { OpenRequests } from './open-requests.ts'
import { Recent, type RecentState } from './recent.ts'

const METER = 'meter'
/** Before the id of a key. */
const KEY_METER = 'meter.'
const FLOOR = 'floor'
/** What is at or before the floor may be neither here nor in the record. */
const GAP = 'gap'

const RecentRow = v.object({ id: v.string(), requestID: v.string() })
const OpenRow = v.object({ id: v.string(), deadlineAt: v.number(), keyID: v.nullable(v.string()) })

/** What a user's actor keeps. The writes of one call are one transaction, and are stored before it is answered. */
export class UserStore implements MeterStore {
  readonly #storage: DurableObjectStorage

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage
    storage.sql.exec('create table if not exists recent (id text primary key, requestID text not null) without rowid')
    storage.sql.exec('create table if not exists open (id text primary key, deadlineAt integer not null) without rowid')
    // Beside `open`, which is older: of those that came with a key that has limits.
    storage.sql.exec('create table if not exists keyed (id text primary key, keyID text not null) without rowid')
  }

  load() {
    const { sql, kv } = this.#storage
    const entries = v.parse(v.array(RecentRow), sql.exec('select id, requestID from recent').toArray())
    const rows = v.parse(
      v.array(OpenRow),
      sql.exec('select id, deadlineAt, keyID from open left join keyed using (id)').toArray(),
    )
    const keys = [...kv.list({ prefix: KEY_METER })].map(
      ([name, meter]) => [name.slice(KEY_METER.length), v.parse(Meter, meter)] as const,
    )
    const open = new OpenRequests()
    for (const { id, deadlineAt, keyID } of rows) open.add(id, deadlineAt, keyID ?? undefined)
    return {
      meter: v.parse(v.optional(Meter, EMPTY_METER), kv.get(METER)),
      keys,
      recent: new Recent(entries, {
        floor: v.parse(v.optional(v.string(), ''), kv.get(FLOOR)),
        gap: kv.get(GAP) !== undefined,
      }),
      open,
    }
  }

  putMeter(meter: Meter, key?: string): void {
    this.#storage.kv.put(key === undefined ? METER : KEY_METER + key, meter)
  }

  removeMeter(key: string): void {
    this.#storage.kv.delete(KEY_METER + key)
  }

  addRecent(id: string, requestID: string): void {
    this.#storage.sql.exec('insert or ignore into recent (id, requestID) values (?, ?)', id, requestID)
  }

  removeRecent(id: string): void {
    this.#storage.sql.exec('delete from recent where id = ?', id)
  }

  raiseFloor({ floor, gap }: RecentState): void {
    this.#storage.kv.put(FLOOR, floor)
    if (gap) this.#storage.kv.put(GAP, true)
    else this.#storage.kv.delete(GAP)
    this.#storage.sql.exec('delete from recent where id <= ?', floor)
  }

  addOpen(id: string, deadlineAt: number, key: string | undefined): void {
    this.#storage.sql.exec('insert or ignore into open (id, deadlineAt) values (?, ?)', id, deadlineAt)
    if (key !== undefined) this.#storage.sql.exec('insert or ignore into keyed (id, keyID) values (?, ?)', id, key)
  }

  removeOpen(id: string): void {
    this.#storage.sql.exec('delete from open where id = ?', id)
    this.#storage.sql.exec('delete from keyed where id = ?', id)
  }
}
