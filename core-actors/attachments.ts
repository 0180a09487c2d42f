import type { LiveEntry, Page } from './attachment.ts'
import { Attachment } from './attachment.ts'
import { encodeEntries, type RawEntry } from './log-entry.ts'

/** Bytes that may wait for one actor; past it live events are dropped and read from the log later. */
const BUFFER_BYTES = 64 * 1024
/** Sweeps without an event after which a stream is let go; a node says something at least every 5 s. */
const MAX_QUIET_SWEEPS = 12
export const SWEEP_MS = 5_000

interface Open {
  readonly attachment: Attachment
  readonly end: () => void
  taken: number
  quietSweeps: number
}

/** What arrives in one turn leaves as one chunk: under load that is where the time goes. */
class Batch {
  bytes = 0
  #entries: RawEntry[] = []
  readonly #flush: (entries: RawEntry[]) => void

  constructor(flush: (entries: RawEntry[]) => void) {
    this.#flush = flush
  }

  add(entry: RawEntry): void {
    if (this.#entries.length === 0) queueMicrotask(() => this.#send())
    this.#entries.push(entry)
    this.bytes += entry.payload.length
  }

  #send(): void {
    const entries = this.#entries
    this.#entries = []
    this.bytes = 0
    this.#flush(entries)
  }
}

/** Every stream that a relay has open, by request. */
export class Attachments {
  #byRequest = new Map<string, Set<Open>>()

  get size(): number {
    return this.#byRequest.size
  }

  /**
   * @param after sequence of the last entry the reader has
   * @param first the next entry after it, when it is known: saves reading a log that was only just begun
   * @returns lines of `encodeEntry`; it ends when the request has been silent for a minute
   */
  open(
    id: string,
    after: number,
    read: (after: number) => Promise<Page>,
    first?: LiveEntry,
  ): ReadableStream<Uint8Array> {
    let open: Open | undefined
    return new ReadableStream(
      {
        type: 'bytes',
        start: (controller) => {
          const batch = new Batch((entries) => {
            if (attachment.mode !== 'closed') controller.enqueue(encodeEntries(entries))
          })
          const attachment: Attachment = new Attachment(after, read, {
            write: (entry) => {
              batch.add(entry)
              return (controller.desiredSize ?? 0) > batch.bytes
            },
            fail: (error) => {
              if (open) this.#remove(id, open)
              controller.error(error)
            },
          })
          open = { attachment, end: () => controller.close(), taken: 0, quietSweeps: 0 }
          this.#add(id, open)
          if (first) attachment.arrived(first)
          else attachment.resync()
        },
        pull: () => open?.attachment.pulled(),
        cancel: () => {
          if (open) this.#remove(id, open)
        },
      },
      { highWaterMark: BUFFER_BYTES },
    )
  }

  arrived(id: string, entry: LiveEntry): void {
    for (const { attachment } of this.#byRequest.get(id) ?? []) attachment.arrived(entry)
  }

  /** After the subscription was down: whatever came meanwhile is in the logs. */
  resyncAll(): void {
    for (const open of this.#all()) open.attachment.resync()
  }

  /** Looks after the quiet ones: a live event may have been lost with nothing after it to show the gap. */
  sweep(): void {
    for (const open of this.#all()) {
      if (open.attachment.taken !== open.taken || open.attachment.mode === 'full') {
        open.taken = open.attachment.taken
        open.quietSweeps = 0
        continue
      }
      open.quietSweeps += 1
      if (open.quietSweeps < MAX_QUIET_SWEEPS) open.attachment.resync()
      else this.#letGo(open)
    }
  }

  #letGo(open: Open): void {
    for (const [id, opens] of this.#byRequest) if (opens.has(open)) this.#remove(id, open)
    open.end()
  }

  #all(): Open[] {
    return [...this.#byRequest.values()].flatMap((opens) => [...opens])
  }

  #add(id: string, open: Open): void {
    const opens = this.#byRequest.get(id)
    if (opens) opens.add(open)
    else this.#byRequest.set(id, new Set([open]))
  }

  #remove(id: string, open: Open): void {
    open.attachment.close()
    const opens = this.#byRequest.get(id)
    opens?.delete(open)
    if (opens?.size === 0) this.#byRequest.delete(id)
  }
}
