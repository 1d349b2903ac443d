/** The versions on which a trace was made. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)

function read(file: string | URL): { readonly name?: string; readonly version?: string } {
  return JSON.parse(readFileSync(file, 'utf8')) as { name?: string; version?: string }
}

/** The nearest manifest above this file that is ours: it lies at another depth once built. */
function own(): string {
  for (const up of ['../../', '../../../']) {
    try {
      const { name, version = '' } = read(new URL(`${up}package.json`, import.meta.url))
      if (name === 'curtaincall') return version
    } catch {
      // Not at this depth.
    }
  }
  return 'unknown'
}

let found: { readonly curtaincall: string; readonly xstate: string; readonly node: string } | undefined

/** Read at first use, so that importing this file does no work. */
export function versions(): { readonly curtaincall: string; readonly xstate: string; readonly node: string } {
  found ??= { curtaincall: own(), xstate: read(require.resolve('xstate/package.json')).version ?? 'unknown', node: process.versions.node }
  return found
}
