/**
 * Builds what is about to be packed and is not built: npm calls this for a dependency on the repository, too, of which nobody else
 * would. After an install in a clone there is nothing to do: what needs a build makes its own. JavaScript, since it runs at each
 * install, on whatever is there.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'

// Set by npm where it packs a folder, and not where it has installed one.
const isPacked = process.env['npm_package_resolved'] !== undefined
if (isPacked && !existsSync(join(import.meta.dirname, '..', 'dist', 'src', 'index.js'))) await import('./build.ts')
