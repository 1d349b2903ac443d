/**
 * What the page does: whether it has a process, and whether it shows the present or a recording.
 *
 * C1  A lost connection is tried again, at growing intervals; what was shown stays, also where another run has taken its place.
 * C2  While a recording is played, frames of the living tree change nothing.
 * C3  A page that was saved never looks for a process: there is none behind it. Nor is what comes from a file ever live.
 * C4  A process of which nothing is heard is shown as not answering, until anything is heard; then what has failed meanwhile is forgotten.
 */
import { assign, setup } from 'xstate'
import type { Hello, Recording } from '../../src/inspector/protocol.ts'

export type PageEvent =
  | { readonly type: 'hello'; readonly hello: Hello }
  | { readonly type: 'lost' }
  | { readonly type: 'refused'; readonly why: string }
  | { readonly type: 'replaced'; readonly why: string }
  | { readonly type: 'retry' }
  | { readonly type: 'silent' }
  | { readonly type: 'heard' }
  | { readonly type: 'record' }
  | { readonly type: 'recorded'; readonly recording: Recording }
  | { readonly type: 'failed'; readonly why: string }
  | { readonly type: 'play' }
  | { readonly type: 'pause' }
  | { readonly type: 'live' }

interface PageContext {
  /** Saved together with its recording: there is no process behind it. */
  readonly standalone: boolean
  readonly hello: Hello | undefined
  readonly why: string
  readonly tries: number
}

const noop = (): void => undefined

export const pageMachine = setup({
  types: { context: {} as PageContext, events: {} as PageEvent, input: {} as { readonly standalone: boolean } },
  actions: {
    connect: noop,
    /** Fetch what was recorded, then send `recorded`. */
    fetchRecording: noop,
    /** Make the player of a recording the source of everything. */
    load: noop,
    /** Make the living tree the source again. */
    unload: noop,
    startClock: noop,
    stopClock: noop,
    remember: assign({ hello: ({ context, event }) => (event.type === 'hello' ? event.hello : context.hello), why: '', tries: 0 }),
    blame: assign({ why: ({ event }) => ('why' in event ? event.why : '') }),
    forgive: assign({ why: '' }),
    count: assign({ tries: ({ context }) => context.tries + 1 }),
  },
  delays: { patience: ({ context }) => Math.min(5_000, 300 * 2 ** context.tries) },
  guards: {
    isStandalone: ({ context }) => context.standalone,
    isOfProcess: ({ context }) => !context.standalone && context.hello?.source !== 'file',
    wasLive: ({ context }) => context.hello?.source === 'live',
    hasProcess: ({ context }) => !context.standalone,
    isFile: ({ event }) => event.type === 'hello' && event.hello.source === 'file',
    /** There is no live tree to show instead of a recording that can't be shown. */
    isOfRecording: ({ context }) => context.standalone || context.hello?.source === 'file',
  },
}).createMachine({
  id: 'page',
  context: ({ input }) => ({ standalone: input.standalone, hello: undefined, why: '', tries: 0 }),
  initial: 'opening',
  states: {
    opening: {
      always: [{ guard: 'isStandalone', target: 'fetching' }, 'connecting'],
    },
    connecting: {
      entry: 'connect',
      on: {
        hello: [
          { guard: 'isFile', target: 'fetching', actions: 'remember' },
          { target: 'live', actions: 'remember' },
        ],
        lost: 'lost',
        replaced: [
          { guard: 'wasLive', target: 'replaced', actions: 'blame' },
          { target: 'refused', actions: 'blame' },
        ],
        refused: { target: 'refused', actions: 'blame' },
      },
    },
    live: {
      initial: 'answering',
      states: {
        answering: { on: { silent: 'silent' } },
        silent: { on: { heard: { target: 'answering', actions: 'forgive' } } },
      },
      on: { record: { target: 'fetching', actions: 'forgive' }, lost: 'lost', refused: { target: 'refused', actions: 'blame' } },
    },
    lost: {
      entry: 'count',
      after: { patience: 'connecting' },
      on: { retry: 'connecting' },
    },
    // Tabs share the key: it may be let in once another tab has got a new one.
    replaced: { on: { retry: 'connecting' } },
    refused: { on: { retry: { guard: 'isOfProcess', target: 'connecting' } } },
    fetching: {
      entry: 'fetchRecording',
      on: {
        recorded: { target: 'replay', actions: 'load' },
        failed: [
          { guard: 'isOfRecording', target: 'refused', actions: 'blame' },
          { target: 'live', actions: 'blame' },
        ],
        lost: { guard: 'hasProcess', target: 'lost' },
        refused: { target: 'refused', actions: 'blame' },
        live: { guard: 'isOfProcess', target: 'live' },
      },
    },
    replay: {
      initial: 'paused',
      // The whole tree as it is now comes with a new connection. A process that goes while its past is looked at is not missed.
      on: { live: { guard: 'hasProcess', target: 'connecting', actions: 'unload' } },
      states: {
        paused: { on: { play: 'playing' } },
        playing: { entry: 'startClock', exit: 'stopClock', on: { pause: 'paused' } },
      },
    },
  },
})
