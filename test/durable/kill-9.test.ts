/** A real process on a real file, killed with -9: what it has said to be acknowledged is there when it is started again. */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { newFile } from '../sqlite/place.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** Runs it, calls `line` with each line that it says, and resolves with all of them once it is gone. */
async function run(
  program: string,
  args: readonly string[],
  line: (line: string, child: ChildProcess) => void = () => undefined,
): Promise<string[]> {
  const child = spawn(process.execPath, [join(root, program), ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  const lines: string[] = []
  createInterface({ input: child.stdout }).on('line', (each) => {
    lines.push(each)
    line(each, child)
  })
  await new Promise((resolve) => child.once('close', resolve))
  return lines
}

test.each([40, 400, 2_000])('killed after %i acknowledgements', { timeout: 60_000 }, async (after) => {
  const file = newFile()
  let many = 0
  const said = await run('test/durable/program.ts', [file], (_, child) => ++many === after && child.kill('SIGKILL'))
  expect(said.length).toBeGreaterThanOrEqual(after)
  const found = (await run('test/durable/program.ts', [file, 'check'])).map(
    (each) => JSON.parse(each) as { id?: string; n?: number; outcome: { output: any } },
  )
  const charges = new Map(found.flatMap(({ n, outcome }) => (n === undefined ? [] : [[n, outcome] as const])))
  const carts = new Map(found.flatMap(({ id, outcome }) => (id === undefined ? [] : [[id, outcome.output as number[]] as const])))
  const promised = { outcomes: 0, messages: 0 }
  for (const each of said) {
    const [what, a, b] = each.split(' ')
    if (what === 'outcome') {
      promised.outcomes++
      expect(charges.get(Number(a))).toEqual({ status: 'completed', output: { charged: Number(a) } })
    } else if (what === 'message') {
      promised.messages++
      expect(carts.get(a as string)).toContain(Number(b))
    } else expect(carts.has(a as string)).toBe(true)
  }
  expect(promised.outcomes + promised.messages).toBeGreaterThan(0)
  // In a state, each once, and in order.
  for (const all of carts.values()) expect(all).toEqual([...new Set(all)].toSorted((a, b) => a - b))
})

test('the example: an order that is killed in the middle, again and again, is paid once, and shipped', { timeout: 60_000 }, async () => {
  const folder = dirname(newFile())
  const bank = join(folder, 'bank.txt')
  const steps = ['paying', 'packing', 'cooling']
  for (const [i, last] of steps.entries()) {
    const lines = await run('examples/04-durable-order/order.ts', [folder], (line, child) => line === last && child.kill('SIGKILL'))
    // The step that was told of last may not have been written down yet: that one is done again, and none before it.
    const earlier = steps.slice(0, Math.max(0, i - 1))
    expect(lines).toContain(last)
    for (const step of earlier) expect(lines).not.toContain(step)
  }
  const outcome = JSON.stringify({ status: 'completed', output: { receipt: 'order-7 paid 42' } })
  expect((await run('examples/04-durable-order/order.ts', [folder])).at(-1)).toBe(outcome)
  // Started once more, it does nothing.
  expect(await run('examples/04-durable-order/order.ts', [folder])).toEqual(['accepted', outcome])
  expect(existsSync(bank) && readFileSync(bank, 'utf8')).toBe('order-7 paid 42\n')
})
