/** The tests that mutants are held against: fast ones, with fixed seeds. */
import { defineConfig } from 'vitest/config'
import whole from '../../vitest.config.ts'

export default defineConfig({
  resolve: whole.resolve ?? {},
  test: {
    include: [
      'test/{port,spec,turn,admission,message,routine,supervision,shutdown,manager,machines,audit,mutation}/**/*.test.ts',
      'test/testing/machines.test.ts',
    ],
    setupFiles: ['test/mutation/seed.ts'],
    testTimeout: 10_000,
  },
})
