const shared = {
  testEnvironment: 'node',
  transform: { '^.+\\.(t|j|mj)s$': ['@swc/jest', { jsc: { target: 'es2022', parser: { syntax: 'typescript' } } }] },
  // Published as ES modules alone, which jest cannot require.
  transformIgnorePatterns: ['/node_modules/(?!(jose|@bomb\\.sh|hyparquet|hyparquet-compressors|hyparquet-writer|hysnappy)/)'],
  moduleNameMapper: {
    '^cdk-mlops$': '<rootDir>/lib/index.ts',
    // d3 is published as ES modules, which jest cannot require, with a UMD build beside them.
    '^d3-([a-z-]+)$': '<rootDir>/node_modules/d3-$1/dist/d3-$1.js',
    '^internmap$': '<rootDir>/node_modules/internmap/dist/internmap.js',
  },
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/assets/', '<rootDir>/cdk.out/'],
};

module.exports = {
  projects: [
    {
      ...shared,
      displayName: 'unit',
      testMatch: ['<rootDir>/test/**/*.test.ts'],
      testPathIgnorePatterns: ['/node_modules/', '<rootDir>/test/integration/'],
      setupFiles: ['<rootDir>/test/without-validation.ts', '<rootDir>/test/without-engine.ts'],
      setupFilesAfterEnv: ['aws-cdk-lib/testhelpers/jest-autoclean'],
    },
    {
      ...shared,
      displayName: 'integration',
      testMatch: ['<rootDir>/test/integration/**/*.test.ts'],
      globalSetup: '<rootDir>/test/integration/global-setup.ts',
      globalTeardown: '<rootDir>/test/integration/global-teardown.ts',
    },
  ],
  // Two cores: more workers only make the engine and the tests starve each other.
  maxWorkers: 2,
  testSequencer: '<rootDir>/test/slowest-first.js',
  collectCoverageFrom: ['lib/**/*.ts', 'lambda/**/*.ts', 'cli/**/*.ts', '!**/*.d.ts'],
  coverageReporters: ['text-summary', 'json-summary'],
  // What runs as a bundle inside the engine is not counted, so the unit tests alone have to reach it.
  coverageThreshold: { global: { lines: 90 } },
};
