// On its own, since `npm test` leaves it out: the matrix takes eight minutes of a machine that has nothing else to do.
const { projects } = require('../../jest.config');

const integration = projects.find(({ displayName }) => displayName === 'integration');

module.exports = { ...integration, rootDir: '../..', testMatch: ['<rootDir>/test/faults/matrix.ts'], reporters: ['default'], verbose: false };
