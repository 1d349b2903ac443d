/** handleSignals: what it leaves behind, and where there are no signals. The rest stands in the audit, M3. */
import { expect, test } from 'vitest'
import { createGlobalManager, handleSignals } from 'curtaincall'

/** Calls `act` as if the platform had this in place of `process`; returns what it throws. */
function withProcess(value: unknown, act: () => unknown): unknown {
  const own = Object.getOwnPropertyDescriptor(globalThis, 'process') as PropertyDescriptor
  Object.defineProperty(globalThis, 'process', { value, configurable: true, writable: true })
  try {
    act()
    return undefined
  } catch (error) {
    return error
  } finally {
    Object.defineProperty(globalThis, 'process', own)
  }
}

test.each([
  ['no process', undefined],
  ['what a bundler puts in its place', { env: {} }],
])('where there are no signals it says so: %s', async (_, value) => {
  const global = createGlobalManager({ name: 'shop' })
  const error = withProcess(value, () => handleSignals(global))
  expect(error).toMatchObject({ name: 'ConfigError', code: 'ERR_CONFIG', path: 'shop' })
  expect((error as Error).message).toBe('handleSignals needs a platform with signals, such as Node.js: there is no process.on here')
  await global.shutdown()
})

test('whatever was not undone by hand is undone by the end of its tree', async () => {
  const count = (): number => process.listenerCount('SIGUSR2')
  const before = count()
  const [one, two] = [createGlobalManager(), createGlobalManager()]
  handleSignals(one, ['SIGUSR2'])()
  handleSignals(one, ['SIGUSR2'])
  handleSignals(one, ['SIGUSR2'])
  const off = handleSignals(two, ['SIGUSR2'])
  expect(count()).toBe(before + 3)
  await one.shutdown()
  expect(count()).toBe(before + 1)
  off()
  expect(count()).toBe(before)
  await two.shutdown()
  handleSignals(two, ['SIGUSR2'])
  await Promise.resolve()
  expect(count()).toBe(before)
})
