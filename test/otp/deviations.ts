/** Where curtaincall does not do as OTP 25 does: what OTP's own authors call a bug, or have changed since. */
import type { Trace } from './scenario.ts'

export const deviations: Record<string, { readonly why: string; readonly expect: Trace }> = {
  simple_one_for_one_restart_ignore: {
    why: 'an instance whose restart asks to be ignored is forgotten, as in later releases',
    expect: {
      start: { r: ['ok'], ev: [] },
      steps: [
        { r: ['ok'], ev: [['start', 'x1', 1]] },
        {
          r: ['ok'],
          ev: [
            ['exit', 'x1', 1, 'killed'],
            ['start', 'x1', 2],
          ],
        },
        {
          r: ['ok'],
          ev: [
            ['exit', 'x1', 2, 'killed'],
            ['ignore', 'x1', 3],
          ],
        },
        { r: ['ok', []], ev: [] },
        { r: ['ok', [1, 0, 0, 0]], ev: [] },
      ],
      end: { alive: true, sups: { root: { which: [], count: [1, 0, 0, 0] } } },
    },
  },
  hanging_restart_loop_simple: {
    why: 'an instance that is terminated while it is restarting does not make the count of the living too low',
    expect: {
      start: { r: ['ok'], ev: [] },
      steps: [
        { r: ['ok'], ev: [['start', 'x1', 1]] },
        {
          r: [
            ['ok'],
            ['error', 'simple_one_for_one'],
            ['error', 'simple_one_for_one'],
            ['ok', [['*', 'restarting']]],
            ['ok', [1, 0, 0, 1]],
            ['ok'],
            ['ok', []],
          ],
          ev: [
            ['exit', 'x1', 1, 'error'],
            ['fail', 'x1', 2],
          ],
        },
        { r: ['ok', [1, 0, 0, 0]], ev: [] },
        { r: ['ok'], ev: [['start', 'x2', 1]] },
        { r: ['ok', [1, 1, 0, 1]], ev: [] },
        {
          r: [['ok'], ['ok']],
          ev: [
            ['exit', 'x2', 1, 'error'],
            ['fail', 'x2', 2],
          ],
        },
      ],
      end: { alive: false, why: 'stop' },
    },
  },
  significant_simple: {
    why: 'a template beside autoShutdown is refused, as in later releases',
    expect: {
      start: { r: ['error', 'supervisor_data', 'invalid_auto_shutdown'], ev: [] },
      steps: [],
      end: { alive: false, why: 'start_failed' },
    },
  },
}
