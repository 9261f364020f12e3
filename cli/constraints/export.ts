import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { toModelMonitor, toStatistics } from '../../lambda/monitoring/constraints/model-monitor';
import type { Io } from '../io';
import { platformOptions, type PlatformOptions } from '../options';
import { findPlatform } from '../platform';
import { baselineOf, inForce } from './stored';

interface Options extends PlatformOptions {
  readonly output: string;
}

export const register = (parent: Command, io: Io): void => {
  platformOptions(
    parent
      .command('export')
      .description('constraints and statistics of a model’s baseline as SageMaker Model Monitor writes them')
      .argument('<model>')
      .requiredOption('--output <directory>', 'where constraints.json and statistics.json go'),
  ).action(async (model: string, _, command: Command) => {
    const options = command.optsWithGlobals<Options>();
    const platform = await findPlatform(options);
    const [{ file, source }, baseline] = await Promise.all([inForce(platform, model), baselineOf(platform, model)]);
    const { document, lost } = toModelMonitor(file);
    const features = baseline.features.filter(({ role }) => role !== 'prediction');
    const files = { 'constraints.json': document, 'statistics.json': toStatistics(features, baseline.trainRows) };
    mkdirSync(options.output, { recursive: true });
    const written = Object.entries(files).map(([name, content]) => {
      const target = path.join(options.output, name);
      writeFileSync(target, `${JSON.stringify(content, null, 2)}\n`);
      return target;
    });
    if (options.json) io.out(`${JSON.stringify({ model, source, written, lost }, null, 2)}\n`);
    else io.out(written.map((target) => `${target} written\n`).join(''));
    for (const item of lost) io.err(`Model Monitor cannot say: ${item}\n`);
  });
};
