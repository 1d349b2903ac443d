/** RxJS: one stream of tasks, merged with a limit; it pulls the next one when one ends, so that queued and streamed are the same. */
import { catchError, EMPTY, lastValueFrom, mergeMap, Observable, range, tap, timeout } from 'rxjs'
import { Check, LIMIT, task, TIMEOUT, type Variant } from '../job.ts'

/** As RxJS's own `fromFetch` does it: whoever lets go of a task that is not over, as the timeout does, aborts it. */
function abortable(i: number): Observable<number> {
  return new Observable((subscriber) => {
    const controller = new AbortController()
    let over = false
    task(i, controller.signal).then(
      (output) => {
        over = true
        subscriber.next(output)
        subscriber.complete()
      },
      (error: unknown) => {
        over = true
        subscriber.error(error)
      },
    )
    return () => {
      if (!over) controller.abort()
    }
  })
}

export const variant: Variant = {
  async spawn(n) {
    const check = new Check(n)
    const each = (i: number) =>
      abortable(i).pipe(
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
