/** Builds the page into dist/inspector, for the server; and as one file, for recordings that are saved. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { defineConfig, type Plugin } from 'vite'

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }

/** uPlot reads the browser's language as it is loaded, and throws where that is none, as with the locale POSIX. The page is in English. */
const plainNumbers: Plugin = {
  name: 'plain-numbers',
  transform(code, id) {
    if (!id.includes('uPlot.esm')) return undefined
    const asked = "new Intl.NumberFormat(domEnv ? nav.language : 'en-US')"
    if (!code.includes(asked)) throw new Error('uPlot asks for the language in another way than this knows')
    return { code: code.replace(asked, "new Intl.NumberFormat('en')"), map: null }
  },
}

/** The licence of a package, as it stands beside it. */
function licenceOf(root: string): string {
  const { name, version, license } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8')) as Record<string, string>
  const file = readdirSync(root).find((each) => /^licen[cs]e(\.|$)/i.test(each))
  if (file === undefined) throw new Error(`${name} comes without its licence`)
  return `${name} ${version}, ${license}\n\n${readFileSync(`${root}/${file}`, 'utf8').trim()}\n`
}

/** The page contains packages of others: their licences stand beside it. */
const notices: Plugin = {
  name: 'notices',
  generateBundle(_options, bundle) {
    const roots = new Set<string>()
    for (const part of Object.values(bundle)) {
      const ids = part.type === 'chunk' ? part.moduleIds : []
      for (const id of ids) {
        const root = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id)?.[0]
        if (root !== undefined && existsSync(`${root}/package.json`)) roots.add(root)
      }
    }
    this.emitFile({
      type: 'asset',
      fileName: 'page.LICENSES.txt',
      source: [...roots]
        .toSorted()
        .map(licenceOf)
        .join(`\n${'-'.repeat(80)}\n\n`),
    })
  },
}

export default defineConfig({
  plugins: [plainNumbers, notices],
  root: import.meta.dirname,
  base: './',
  define: { VERSION: JSON.stringify(version), 'process.env.NODE_ENV': '"production"' },
  build: {
    outDir: '../dist/inspector',
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: false,
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1_000,
    rolldownOptions: {
      output: { entryFileNames: 'page.js', chunkFileNames: '[name].js', assetFileNames: 'page[extname]' },
    },
  },
})
