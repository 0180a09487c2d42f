import { expect, test } from 'bun:test'
import { Gate } from './gate.ts'

test('so many are inside at a time, and all come through, also past one that fails', async () => {
  const gate = new Gate(3)
  let inside = 0
  let most = 0
  const order: number[] = []
  const all = await Promise.allSettled(
    Array.from({ length: 20 }, (_, index) =>
      gate.through(async () => {
        inside += 1
        most = Math.max(most, inside)
        await Promise.resolve()
        order.push(index)
        inside -= 1
        if (index === 4) throw new Error('failed')
      }),
    ),
  )
  expect(most).toBe(3)
  expect(order).toEqual(Array.from({ length: 20 }, (_, index) => index))
  expect(all.filter(({ status }) => status === 'rejected')).toHaveLength(1)
})
