/**
 * What is packed has no `prepare`: it is for clones, and the file that it runs is not in the package, of which npm warns whoever installs
 * that. `npm pack` calls this before it packs, with `packed`, and afterwards, with `cloned`. The name is changed in place, so that a pack that
 * was broken off is put right by the next one.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const NAMES = { cloned: '"prepare":', packed: '"prepare:clone":' }
const file = join(import.meta.dirname, '..', 'package.json')
const to = process.argv[2] === 'packed' ? 'packed' : 'cloned'
const from = to === 'packed' ? 'cloned' : 'packed'
writeFileSync(file, readFileSync(file, 'utf8').replace(NAMES[from], NAMES[to]))
