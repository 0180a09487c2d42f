import { totalmem } from 'node:os'

/** The rest is for the processes themselves, what runs take for a moment, and the page cache. */
const SHARE = 0.6

/** What a node gives to models when nobody says: a share of what its container may have, or else of the machine. */
export function defaultBudget(machineBytes = totalmem(), containerBytes = process.constrainedMemory()): number {
  // Without a limit a container reports none, or one beyond the machine.
  const bytes = containerBytes > 0 ? Math.min(machineBytes, containerBytes) : machineBytes
  return Math.floor(bytes * SHARE)
}
