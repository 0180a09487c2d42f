import type { LiveEntry, Page } from './attachment.ts'
import { Attachment } from './attachment.ts'
import { Outlet } from './outlet.ts'

/** Sweeps without an event after which a stream is let go; a node says something at least every 5 s. */
const MAX_QUIET_SWEEPS = 12
export const SWEEP_MS = 5_000

export type Pipe = () => { readable: ReadableStream<Uint8Array>; writable: WritableStream<Uint8Array> }

interface Open {
  readonly attachment: Attachment
  readonly end: () => void
  taken: number
  quietSweeps: number
}

/** Every stream that a relay has open, by request. */
export class Attachments {
  readonly #byRequest = new Map<string, Set<Open>>()
  readonly #pipe: Pipe

  /** @param pipe makes a stream; in workerd a native one costs far less than one whose source is script */
  constructor(pipe: Pipe = () => new IdentityTransformStream()) {
    this.#pipe = pipe
  }

  get size(): number {
    return this.#byRequest.size
  }

  /**
   * @param after sequence of the last entry the reader has
   * @param first the next entry after it, when it is known: saves reading a log that was only just begun
   * @returns lines of `encodeEntries`; it ends when the request has been silent for a minute
   */
  open(
    id: string,
    after: number,
    read: (after: number) => Promise<Page>,
    first?: LiveEntry,
  ): ReadableStream<Uint8Array> {
    const { readable, writable } = this.#pipe()
    const outlet = new Outlet(writable, {
      onRoom: () => attachment.pulled(),
      onGone: () => this.#remove(id, open),
    })
    const attachment = new Attachment(after, read, {
      write: (entry) => outlet.write(entry),
      fail: (error) => {
        this.#remove(id, open)
        outlet.abort(error)
      },
    })
    const open: Open = { attachment, end: () => outlet.close(), taken: 0, quietSweeps: 0 }
    this.#add(id, open)
    if (first) attachment.arrived(first)
    else attachment.resync()
    return readable
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
      if (open.attachment.taken !== open.taken) {
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
