/** RxJS: one stream of tasks, merged with a limit; it pulls the next one when one ends, so that queued and streamed are the same. */
import { catchError, defer, EMPTY, from, lastValueFrom, mergeMap, range, tap, timeout } from 'rxjs'
import { Check, LIMIT, task, TIMEOUT, type Variant } from '../job.ts'

export const variant: Variant = {
  async spawn(n) {
    const check = new Check(n)
    const each = (i: number) =>
      defer(() => from(task(i, new AbortController().signal))).pipe(
        timeout(TIMEOUT),
        tap((output) => check.done(output)),
        catchError(() => {
          check.failed()
          return EMPTY
        }),
      )
    await lastValueFrom(range(0, n).pipe(mergeMap(each, LIMIT)), { defaultValue: 0 })
    check.verify()
  },

  async streamed(n) {
    return this.spawn?.(n)
  },
}
