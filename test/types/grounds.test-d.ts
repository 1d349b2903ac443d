/** Work that runs elsewhere is typed by the module that holds it. */
import { expectTypeOf, test } from 'vitest'
import { createGlobalManager, manager, type Routine, routine } from 'curtaincall'
import { childProcess } from 'curtaincall/process'
import { thread, threads } from 'curtaincall/thread'
import type { WorkContext } from 'curtaincall/worker'

interface Images {
  resize(context: WorkContext<{ readonly file: string }>): Promise<number>
  answer(context: WorkContext<undefined, string, boolean>): Promise<void>
  plain(): string
  readonly version: string
}

/** Of a module that exports one body, the type of the module is enough. */
interface Single {
  only(context: WorkContext<number>): string
  readonly version: string
}

const url = new URL('file:///images.ts')
const local = createGlobalManager().createApp('a').createLocal('l')

test('input, output, messages and answers are those of the export', () => {
  const { resize, answer, plain } = threads<Images>(url)
  expectTypeOf(local.spawn('resize', resize, { input: { file: 'cat.jpg' } }).result()).toEqualTypeOf<Promise<number>>()
  const answering = local.spawn('answer', answer)
  expectTypeOf(answering).toEqualTypeOf<Routine<void, string, boolean, undefined>>()
  expectTypeOf(answering.ask('why')).toEqualTypeOf<Promise<boolean>>()
  expectTypeOf(local.spawn('plain', plain).result()).toEqualTypeOf<Promise<string>>()
  // @ts-expect-error the input is missing
  local.spawn('resize', resize)
  // @ts-expect-error the input is another one
  local.spawn('resize', resize, { input: { file: 5 } })
  // @ts-expect-error it takes texts
  answering.send(5)
})

test('of several exports the name says which: the module is the one type that is given', () => {
  expectTypeOf(local.spawn('x', thread<Images>(url, 'resize'), { input: { file: 'cat.jpg' } }).result()).toEqualTypeOf<Promise<number>>()
  expectTypeOf(local.spawn('x', thread<Images>(url, 'answer'))).toEqualTypeOf<Routine<void, string, boolean, undefined>>()
  expectTypeOf(local.spawn('x', thread<Images>(url, 'plain')).result()).toEqualTypeOf<Promise<string>>()
  expectTypeOf(local.spawn('x', childProcess<Images>(url, 'answer')).ask('why')).toEqualTypeOf<Promise<boolean>>()
  thread<Images>(url, 'resize', { maxThreads: 1, transfer: ({ file }) => (file === '' ? [] : [new ArrayBuffer(1)]) })
  // @ts-expect-error the input is another one
  local.spawn('x', thread<Images>(url, 'resize'), { input: { file: 5 } })
  // @ts-expect-error it is no function
  thread<Images>(url, 'version')
  // @ts-expect-error nothing is handed over to a process
  childProcess<Images>(url, 'resize', { transfer: () => [] })
})

test('one export is named by a second type, or is the only one', () => {
  expectTypeOf(local.spawn('x', thread<Single>(url, 'only'), { input: 5 }).result()).toEqualTypeOf<Promise<string>>()
  expectTypeOf(local.spawn('x', thread<Images, 'plain'>(url, 'plain')).result()).toEqualTypeOf<Promise<string>>()
  expectTypeOf(local.spawn('x', childProcess<Single>(url, 'only'), { input: 5 }).result()).toEqualTypeOf<Promise<string>>()
  // @ts-expect-error it is no function
  thread<Images, 'version'>(url, 'version')
  // @ts-expect-error it is not exported
  thread<Single>(url, 'other')
  thread<Images, 'resize'>(url, 'resize', { transfer: ({ file }) => (file === '' ? [] : [new ArrayBuffer(1)]) })
  // @ts-expect-error nothing is handed over to a process
  childProcess<Images, 'resize'>(url, 'resize', { transfer: () => [] })
})

test('it is a child, and a template, as any work is', () => {
  routine('only', thread<Single>(url, 'only'), { input: 5, restart: 'transient' })
  // @ts-expect-error the input is missing
  routine('only', thread<Single>(url, 'only'))
  manager('l', { template: routine('only', thread<Single>(url, 'only'), { input: 1 }) })
})
