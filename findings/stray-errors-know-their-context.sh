#!/usr/bin/env bash
# Node.js 24: the handlers of `uncaughtException` and `unhandledRejection`, in a worker thread as in the main one, run in the asynchronous context of the
# code that has let go of the error: of the timer that threw, of the promise that rejected, also long after the call that began them has ended. So an
# AsyncLocalStorage tells whose it is, where several tasks run in one thread one after the other.
# Seen: each of four errors is attributed to its own task, though the other task ran meanwhile.
# Fails if that changes: an error that is attributed to nobody, or to another task.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat > measure.mjs <<'JS'
import { AsyncLocalStorage } from 'node:async_hooks'
import { isMainThread, parentPort, Worker } from 'node:worker_threads'

if (isMainThread) {
  const heard = []
  const worker = new Worker(new URL(import.meta.url))
  worker.on('message', (line) => heard.push(line))
  worker.on('exit', () => {
    console.log(heard.join('\n'))
    process.exit(heard.length === 4 && heard.every((line) => /^(\w+): \w+ of \1$/.test(line)) ? 0 : 1)
  })
} else {
  const storage = new AsyncLocalStorage()
  const tell = (error) => parentPort.postMessage(`${storage.getStore()}: ${error.message}`)
  process.on('uncaughtException', tell)
  process.on('unhandledRejection', tell)
  const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
  for (const task of ['first', 'second'])
    await storage.run(task, async () => {
      setTimeout(() => {
        throw new Error(`timer of ${task}`)
      }, 30)
      void pause(40).then(() => Promise.reject(new Error(`promise of ${task}`)))
      await pause(5)
    })
  setTimeout(() => process.exit(0), 100)
}
JS
node measure.mjs
