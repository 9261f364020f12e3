const Sequencer = require('@jest/test-sequencer').default;

/**
 * What takes longest, longest first. Without a cache of its own jest begins with the largest files, and the longest tests, which are short files,
 * would come last and keep one of two workers busy while the other has nothing left.
 */
const LONGEST = [
  'demo-scenarios', 'mlflow', 'release', 'own-steps', 'second-model', 'faults', 'demo', 'plugin', 'gate', 'run-control', 'monitoring', 'record', 'approval',
].map((name) => `/test/integration/${name}.test.ts`);

const rank = ({ path }) => {
  const found = LONGEST.findIndex((file) => path.endsWith(file));
  return found < 0 ? LONGEST.length : found;
};

module.exports = class extends Sequencer {
  sort(tests) {
    // Stable: among the others jest's own order holds.
    return [...super.sort(tests)].sort((a, b) => rank(a) - rank(b));
  }
};
