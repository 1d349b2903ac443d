import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const alias = {
  'curtaincall/machines': fileURLToPath(new URL('./machines/index.ts', import.meta.url)),
  'curtaincall/testing': fileURLToPath(new URL('./src/testing/index.ts', import.meta.url)),
  'curtaincall/inspector': fileURLToPath(new URL('./src/inspector/index.ts', import.meta.url)),
  'curtaincall/watchdog': fileURLToPath(new URL('./src/watchdog/index.ts', import.meta.url)),
  'curtaincall/sqlite': fileURLToPath(new URL('./src/sqlite/index.ts', import.meta.url)),
  curtaincall: fileURLToPath(new URL('./src/index.ts', import.meta.url)),
}

export default defineConfig({
  resolve: { alias },
  test: {
    reporters: ['default', ['json', { outputFile: '.tmp/test-report.json' }]],
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: [
            'test/mutation/**',
            'test/leak/**',
            'test/cli/**',
            'test/project/**',
            'test/inspector/**',
            'test/sqlite/**',
            'test/watchdog/**',
          ],
          typecheck: { enabled: true, include: ['test/**/*.test-d.ts'] },
        },
      },
      {
        extends: true,
        test: { name: 'leak', include: ['test/leak/**/*.test.ts'], pool: 'forks', execArgv: ['--expose-gc'], testTimeout: 120_000 },
      },
      {
        extends: true,
        // One file at a time: each may have a browser of its own.
        test: { name: 'inspector', include: ['test/inspector/**/*.test.ts'], testTimeout: 60_000, fileParallelism: false },
      },
      // Threads and processes of its own, which end when the disk has answered.
      { extends: true, test: { name: 'sqlite', include: ['test/sqlite/**/*.test.ts'], testTimeout: 60_000 } },
      {
        extends: true,
        test: {
          name: 'project',
          include: ['test/cli/**/*.test.ts', 'test/project/**/*.test.ts', 'test/watchdog/**/*.test.ts'],
          testTimeout: 60_000,
        },
      },
    ],
  },
})
