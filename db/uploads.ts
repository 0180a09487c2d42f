import type { Sql } from 'postgres'
import * as v from 'valibot'

/** postgres.js hands a bigint over as text. */
const bytes = v.pipe(v.union([v.string(), v.number()]), v.transform(Number), v.safeInteger())

const Upload = v.object({
  sha256: v.string(),
  bytes,
  partBytes: v.number(),
  handle: v.string(),
  createdAt: v.date(),
  completing: v.boolean(),
  parts: v.array(v.object({ number: v.number(), etag: v.string() })),
})
export type Upload = v.InferOutput<typeof Upload>
export type NewUpload = Pick<Upload, 'sha256' | 'bytes' | 'partBytes' | 'handle'>

/** Whoever puts a file together and is not heard of again: another may begin after this. */
const COMPLETING_FOR = '10 minutes'

/** Which files are stored, and which are coming in parts. Runs in the Worker. */
export class Uploads {
  readonly #sql: Sql

  constructor(sql: Sql) {
    this.#sql = sql
  }

  /** The size of an artifact; `undefined` when it is not stored. Waits for a deletion of it that is under way. */
  async stored(sha256: string): Promise<number | undefined> {
    const [row] = await this
      .#sql`select bytes from artifacts where sha256 = ${sha256} and dropping_at is null for share`
    return row && v.parse(bytes, row.bytes)
  }

  /**
   * Removes files that no version needs. The row goes last, and nobody uploads the file anew before that: whatever fails,
   * the next call goes on, and no file is lost that is told to be there.
   * @param sha256 this one, also when another is at it just now; unless given, those that nobody is at
   */
  async drop(remove: (sha256: string) => Promise<void>, sha256?: string): Promise<void> {
    await this.#sql.begin(async (sql) => {
      const which = sha256 === undefined ? sql`true` : sql`sha256 = ${sha256}`
      const rows = await sql`
        select sha256 from artifacts where dropping_at is not null and ${which}
        order by sha256 limit 20 for update ${sha256 === undefined ? sql`skip locked` : sql``}`
      const all = rows.map((row) => String(row.sha256))
      if (all.length === 0) return
      await Promise.all(all.map(remove))
      await sql`delete from artifacts where sha256 in ${sql(all)}`
    })
  }

  /** Some that nobody has completed for so long. */
  async abandoned(ms: number): Promise<Pick<Upload, 'sha256' | 'handle'>[]> {
    const rows = await this.#sql`
      select sha256, handle from uploads
      where created_at < now() - ${`${ms} ms`}::interval
        and coalesce(completing_at < now() - ${COMPLETING_FOR}::interval, true)
      order by created_at limit 20`
    return v.parse(v.array(v.pick(Upload, ['sha256', 'handle'])), rows)
  }

  /** The blob store has lost it. */
  async lost(sha256: string): Promise<void> {
    await this.#sql`delete from artifacts where sha256 = ${sha256}`
  }

  async find(sha256: string): Promise<Upload | undefined> {
    const [row] = await this.#sql`
      select sha256, bytes, part_bytes as "partBytes", handle, created_at as "createdAt",
        coalesce(completing_at > now() - ${COMPLETING_FOR}::interval, false) as completing,
        coalesce(
          (select jsonb_agg(jsonb_build_object('number', number, 'etag', etag) order by number)
            from upload_parts where upload_parts.handle = uploads.handle), '[]'
        ) as parts
      from uploads where sha256 = ${sha256}`
    return row && v.parse(Upload, row)
  }

  /** @returns false when there is one for this content already */
  async open({ sha256, bytes, partBytes, handle }: NewUpload, user: string): Promise<boolean> {
    const made = await this.#sql`
      insert into uploads (sha256, bytes, part_bytes, handle, created_by)
      values (${sha256}, ${bytes}, ${partBytes}, ${handle}, ${user}) on conflict do nothing returning sha256`
    return made.length > 0
  }

  /** @returns false when the upload is over, or just being put together: then the part does not count */
  async putPart(handle: string, number: number, etag: string): Promise<boolean> {
    const put = await this.#sql`
      insert into upload_parts (handle, number, etag)
      select handle, ${number}, ${etag} from uploads
      where handle = ${handle} and coalesce(completing_at < now() - ${COMPLETING_FOR}::interval, true)
      on conflict (handle, number) do update set etag = excluded.etag returning number`
    return put.length > 0
  }

  /** One at a time. @returns false when somebody else does it, or the upload is over */
  async beginCompletion(handle: string): Promise<boolean> {
    const begun = await this.#sql`
      update uploads set completing_at = now()
      where handle = ${handle} and coalesce(completing_at < now() - ${COMPLETING_FOR}::interval, true)
      returning handle`
    return begun.length > 0
  }

  /** It may be tried again. */
  async endCompletion(handle: string): Promise<void> {
    await this.#sql`update uploads set completing_at = null where handle = ${handle}`
  }

  /** The file is whole and what it should be. */
  async store({ sha256, bytes, handle }: Pick<Upload, 'sha256' | 'bytes' | 'handle'>): Promise<void> {
    await this.#sql.begin(async (sql) => {
      await sql`insert into artifacts (sha256, bytes) values (${sha256}, ${bytes}) on conflict do nothing`
      await sql`delete from uploads where handle = ${handle}`
    })
  }

  async forget(handle: string): Promise<void> {
    await this.#sql`delete from uploads where handle = ${handle}`
  }
}
