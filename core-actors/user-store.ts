import * as v from 'valibot'
import { EMPTY_METER, Meter } from './limits.ts'
import { OpenRequests } from './open-requests.ts'
import { Recent } from './recent.ts'

const METER = 'meter'
const FLOOR = 'floor'

const RecentRow = v.object({ id: v.string(), requestID: v.string() })
const OpenRow = v.object({ id: v.string(), deadlineAt: v.number() })

/** What a user's actor keeps. The writes of one call are one transaction, and are stored before it is answered. */
export class UserStore {
  readonly #storage: DurableObjectStorage

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage
    storage.sql.exec('create table if not exists recent (id text primary key, requestID text not null) without rowid')
    storage.sql.exec('create table if not exists open (id text primary key, deadlineAt integer not null) without rowid')
  }

  load(): { meter: Meter; recent: Recent; open: OpenRequests } {
    const { sql, kv } = this.#storage
    const entries = v.parse(v.array(RecentRow), sql.exec('select id, requestID from recent').toArray())
    const rows = v.parse(v.array(OpenRow), sql.exec('select id, deadlineAt from open').toArray())
    return {
      meter: v.parse(v.optional(Meter, EMPTY_METER), kv.get(METER)),
      recent: new Recent(entries, v.parse(v.optional(v.string(), ''), kv.get(FLOOR))),
      open: new OpenRequests(rows.map(({ id, deadlineAt }) => [id, deadlineAt])),
    }
  }

  putMeter(meter: Meter): void {
    this.#storage.kv.put(METER, meter)
  }

  addRecent(id: string, requestID: string): void {
    this.#storage.sql.exec('insert or ignore into recent (id, requestID) values (?, ?)', id, requestID)
  }

  removeRecent(id: string): void {
    this.#storage.sql.exec('delete from recent where id = ?', id)
  }

  raiseFloor(floor: string): void {
    this.#storage.kv.put(FLOOR, floor)
    this.#storage.sql.exec('delete from recent where id <= ?', floor)
  }

  addOpen(id: string, deadlineAt: number): void {
    this.#storage.sql.exec('insert or ignore into open (id, deadlineAt) values (?, ?)', id, deadlineAt)
  }

  removeOpen(id: string): void {
    this.#storage.sql.exec('delete from open where id = ?', id)
  }
}
