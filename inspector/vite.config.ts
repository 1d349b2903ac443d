/** Builds the page into dist/inspector, for the server; and as one file, for recordings that are saved. */
import { readFileSync } from 'node:fs'
import { defineConfig, type Plugin } from 'vite'

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }

/** uPlot asks for the browser's language as it is loaded, and throws where that is none, as with the locale POSIX. The page speaks English. */
const plainNumbers: Plugin = {
  name: 'plain-numbers',
  transform(code, id) {
    if (!id.includes('uPlot.esm')) return undefined
    const asked = "new Intl.NumberFormat(domEnv ? nav.language : 'en-US')"
    if (!code.includes(asked)) throw new Error('uPlot asks for the language in another way than this knows')
    return { code: code.replace(asked, "new Intl.NumberFormat('en')"), map: null }
  },
}

export default defineConfig({
  plugins: [plainNumbers],
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
