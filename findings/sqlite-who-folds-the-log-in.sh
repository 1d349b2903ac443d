#!/usr/bin/env bash
# node:sqlite on Node.js 24 (SQLite 3.53): who folds `-wal` in. A connection that was opened with readOnly: true leaves it as it is, also if
# it is the last to be closed; `worker.terminate()` closes the databases of that thread, and so folds it in, as close() does. So a database
# can be looked at without changing its files, and a thread that is terminated in an emergency still does work on the disk.
# And a database that is cut off within its last page is read without any error, whole, by a scan of the table and by one of its index: what
# is missing reads as zeros, and only what lay there is other than it was.
# Fails if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat > measure.mjs <<'JS'
import { spawnSync } from 'node:child_process'
import { existsSync, statSync, truncateSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { Worker } from 'node:worker_threads'

/** A database with 500 rows, as a killed process has left it. */
function leave(file) {
  const code = `const { DatabaseSync } = require('node:sqlite')
    const db = new DatabaseSync('${file}')
    db.exec('PRAGMA journal_mode = WAL; CREATE TABLE t (a, b); CREATE INDEX i ON t (b)')
    const insert = db.prepare('INSERT INTO t VALUES (?, ?)')
    for (let i = 0; i < 500; i++) insert.run(i, 'x'.repeat(100) + i)
    process.kill(process.pid, 'SIGKILL')`
  spawnSync(process.execPath, ['-e', code])
}
const log = (file) => (existsSync(`${file}-wal`) ? statSync(`${file}-wal`).size : 0)

leave('a.db')
const before = log('a.db')
const reader = new DatabaseSync('a.db', { readOnly: true })
reader.prepare('SELECT count(*) FROM t').get()
reader.close()
const afterReader = log('a.db')

const code = `const { DatabaseSync } = require('node:sqlite')
  globalThis.db = new DatabaseSync('a.db')
  globalThis.db.prepare('SELECT count(*) FROM t').get()
  require('node:worker_threads').parentPort.postMessage('open')
  setInterval(() => undefined, 1_000)`
const worker = new Worker(code, { eval: true })
await new Promise((resolve) => worker.once('message', resolve))
await worker.terminate()
const afterTerminate = log('a.db')

const { size } = statSync('a.db')
truncateSync('a.db', size - 100)
const cut = new DatabaseSync('a.db')
let rows
let right
try {
  const all = [...cut.prepare('SELECT a, b FROM t NOT INDEXED').all(), ...cut.prepare("SELECT a, b FROM t INDEXED BY i WHERE b >= ''").all()]
  rows = all.length / 2
  right = all.filter(({ a, b }) => b === 'x'.repeat(100) + a).length / 2
} catch (error) {
  rows = error.message
}
console.log(`log: ${before}, after a reader ${afterReader}, after terminate() ${afterTerminate}; cut by 100 bytes of ${size}: ${rows} rows, ${right} of them right`)
process.exit(afterReader === before && before > 0 && afterTerminate === 0 && rows === 500 ? 0 : 1)
JS
node measure.mjs
