// On its own, since `npm test` leaves it out: the matrix takes a quarter of an hour.
const { projects } = require('../../jest.config');

const integration = projects.find(({ displayName }) => displayName === 'integration');

module.exports = { ...integration, rootDir: '../..', testMatch: ['<rootDir>/test/faults/matrix.ts'], reporters: ['default'], verbose: false };
