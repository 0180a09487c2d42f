import { dlopen } from 'bun:ffi'

const PR_SET_PDEATHSIG = 1
const SIGKILL = 9

/**
 * A host in the middle of native code cannot hear that its node is gone, and would go on with what nobody waits for.
 * On Linux the kernel ends it: https://man7.org/linux/man-pages/man2/PR_SET_PDEATHSIG.2const.html. Elsewhere it ends
 * with the run.
 */
export function dieWithParent(): void {
  if (process.platform !== 'linux') return
  try {
    const libc = dlopen('libc.so.6', { prctl: { args: ['i32', 'u64', 'u64', 'u64', 'u64'], returns: 'i32' } })
    libc.symbols.prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0)
    libc.close()
  } catch (error) {
    console.error('A run would outlive the node that is killed in the middle of it:', error)
  }
}
