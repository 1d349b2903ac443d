/** Handles in what a test runner prints: such takes them as they are, or copies them, and asks what it has for `toJSON`. */
import { expect, test } from 'vitest'
import { createGlobalManager, type Manager, type Routine } from 'curtaincall'

/** As vitest and Jest clone what differs: only what looks like a plain object to the one, anything to the other. */
const copied = (handle: object): object =>
  Object.create(Object.getPrototypeOf(handle) as object, Object.getOwnPropertyDescriptors(handle)) as object
const diffOf = (handle: unknown): string => {
  try {
    expect(handle).toEqual({ state: 'x' })
    return ''
  } catch (error) {
    return (error as Error).message
  }
}

test('a handle is no plain object, and prints what it is in a few words', async () => {
  await using global = createGlobalManager({ name: 'g', logger: false })
  const local = global.createApp('a').createLocal('l')
  const body = ({ signal }: { signal: AbortSignal }) => new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
  const routine = local.spawn('w', body, { id: '1' })
  const handles: [Routine | Manager, string, object, string][] = [
    [routine, '[object Routine]', { path: 'g/a/l/w#1', state: 'pending', incarnation: 1 }, 'a routine'],
    [local, '[object LocalManager]', { path: 'g/a/l', state: 'running', incarnation: 1 }, 'a manager'],
    [global, '[object GlobalManager]', { path: 'g', state: 'running', incarnation: 1 }, 'a manager'],
  ]
  for (const [handle, tag, json, copyOf] of handles) {
    expect(Object.prototype.toString.call(handle)).toBe(tag)
    expect(JSON.parse(JSON.stringify(handle))).toEqual(json)
    expect(JSON.parse(JSON.stringify(copied(handle)))).toEqual({ copyOf })
    expect(diffOf(handle)).toMatch(/^expected (Routine|LocalManager|GlobalManager) g\S* \(.*\) to deeply equal { state: 'x' }$/)
    expect(Object.keys(handle)).not.toContain(Symbol.toStringTag)
  }
})
