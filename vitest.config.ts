import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: [
      'packages/*/src/**/*.test.ts',
      'conformance/**/*.test.ts',
      'examples/**/*.test.ts',
      'scripts/docs/*.test.ts',
    ],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // A machine that is busy for a while is no failure. Less than a test has, so that it is the poll that says what did not come.
    expect: { poll: { timeout: 50_000 } },
    pool: 'forks',
    maxWorkers: 2,
    // What a test starts is what it sees in the sources, however old the bundle is; bundle.test.ts looks at that.
    env: { MILLWRIGHT_FROM_SOURCES: '1' },
  },
})
