/** The tests that mutants are held against: fast ones, with fixed seeds. */
import { defineConfig } from 'vitest/config'
import whole from '../../vitest.config.ts'

export default defineConfig({
  resolve: whole.resolve ?? {},
  test: {
    include: ['test/{src,machines,otp,testing,audit}/**/*.test.ts'],
    exclude: ['test/src/resume.test.ts', 'test/testing/{virtual-time,suites,campaign,simulate}.test.ts'],
    testTimeout: 20_000,
  },
})
