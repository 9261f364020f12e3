import type { Command } from 'commander';
import { constraintsText, InvalidConstraints, parseConstraints } from '../../lambda/monitoring/constraints/file';
import type { ConstraintFile } from '../../lambda/monitoring/constraints/types';
import { CliError, UsageError } from '../errors';
import { type Io, readInput } from '../io';
import { filesOf } from '../models/document';
import { emit, platformOptions, type PlatformOptions } from '../options';
import { findPlatform } from '../platform';
import { storedUri } from './stored';

export const register = (parent: Command, io: Io): void => {
  platformOptions(
    parent
      .command('put')
      .description('store rules on the data of a model; the next training run and the next window go by them, earlier versions stay in the bucket')
      .argument('<model>')
      .argument('<file>', 'constraint file (docs/schemas/constraints.schema.json); - for standard input'),
  ).action(async (model: string, name: string, _, command: Command) => {
    const options = command.optsWithGlobals<PlatformOptions>();
    const file = await readConstraintFile(io, name);
    if (file.model !== model) {
      throw new UsageError(`${name} states rules for ${file.model}, not for ${model}`, 'correct "model" in it, or name that model');
    }
    const platform = await findPlatform(options);
    platform.model(model);
    const uri = storedUri(platform, model);
    const { versionId } = await filesOf(platform.connection).putText(uri, constraintsText(file), { contentType: 'application/json' });
    const version = versionId === undefined ? 'the bucket keeps no versions' : `version ${versionId}`;
    emit(io, options, { model, uri, versionId }, () => `constraints of ${model} written to ${uri} (${version})\n`);
  });
};

/** A constraint file of this machine; what is wrong with it stands one problem a line. */
export async function readConstraintFile(io: Io, name: string): Promise<ConstraintFile> {
  try {
    return parseConstraints((await readInput(io, name)).toString('utf8'), name);
  } catch (error) {
    if (!(error instanceof InvalidConstraints)) throw error;
    throw new CliError(`${name} is no constraint file:\n${error.problems.map((problem) => `  ${problem}`).join('\n')}`, 'see docs/data-quality.md');
  }
}
