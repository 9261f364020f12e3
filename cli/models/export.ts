import { writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { versionNumber } from '../arguments';
import type { Io } from '../io';
import { platformOptions, type PlatformOptions } from '../options';
import { findPlatform } from '../platform';
import { readDocument } from './document';

interface Options extends PlatformOptions {
  readonly output?: string;
}

export const register = (parent: Command, io: Io): void => {
  platformOptions(
    parent
      .command('export')
      .description('the full record of a version as one JSON document (docs/schemas/model-version.schema.json)')
      .argument('<model>')
      .argument('<version>', 'for example 3', versionNumber)
      .option('--output <file>', 'write it to a file'),
  ).action(async (model: string, version: number, _, command: Command) => {
    const options = command.optsWithGlobals<Options>();
    const document = await readDocument(await findPlatform(options), model, version, (remark) => io.err(`${remark}\n`));
    write(io, options.output, `${JSON.stringify(document, null, 2)}\n`);
  });
};

/** To a file, or to standard output where none is named. */
export const write = (io: Io, file: string | undefined, text: string): void => {
  if (file === undefined) io.out(text);
  else {
    writeFileSync(file, text);
    io.err(`${file} written\n`);
  }
};
