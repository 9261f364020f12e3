#!/usr/bin/env node
import { processIo } from '../cli/io';
import { main } from '../cli/program';

// The SDK's notice about coming Node versions and other warnings are no part of a command's answer.
if (!process.env.DEBUG) process.removeAllListeners('warning');
// `mlops ... | head` is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

void main(process.argv.slice(2), processIo()).then((code) => {
  process.exitCode = code;
});
