import { expect, test } from 'bun:test'
import { endMarked, MARK } from './marked.ts'

test.skipIf(process.platform !== 'linux')(
  'what left its process group is ended by its mark, others are not',
  async () => {
    const start = (mark: string) =>
      Bun.spawn(['sleep', '60'], {
        env: { ...process.env, [MARK]: mark },
        detached: true,
        stdio: ['ignore', 'ignore', 'ignore'],
      })
    const [mark, another] = [crypto.randomUUID(), crypto.randomUUID()]
    const marked = start(mark)
    const unmarked = start(another)
    await endMarked(mark)
    expect(await marked.exited).not.toBe(0)
    expect(unmarked.exitCode).toBeNull()
    await endMarked(another)
    expect(await unmarked.exited).not.toBe(0)
  },
)
