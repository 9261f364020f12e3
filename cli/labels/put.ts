import { createHash } from 'node:crypto';
import { S3Client } from '@aws-sdk/client-s3';
import type { Command } from 'commander';
import { S3Files } from '../../lambda/common/s3.client';
import { hourPath, labelsPrefix } from '../../lib/artifacts/contract';
import type { Io } from '../io';
import { readInput } from '../io';
import { emit, platformOptions, type PlatformOptions } from '../options';
import { findPlatform } from '../platform';
import { parseLabels } from './parse';

export const register = (parent: Command, io: Io): void => {
  platformOptions(
    parent
      .command('put')
      .description('deliver what really happened, for quality to be measured')
      .argument('<model>')
      .argument(
        '<file>',
        'JSON lines, CSV: inferenceId, value; rowIndex (0), observedAt (now), labelVersion (1); or Model Monitor ground truth; - for standard input',
      ),
  ).action(async (model: string, file: string, _, command: Command) => {
    const options = command.optsWithGlobals<PlatformOptions>();
    const now = new Date();
    const labels = parseLabels((await readInput(io, file)).toString('utf8'), now);
    const platform = await findPlatform(options);
    platform.model(model);
    const body = `${labels.map((label) => JSON.stringify(label)).join('\n')}\n`;
    // Named by its content: a repeated delivery within the hour replaces itself.
    const name = createHash('sha256').update(body).digest('hex').slice(0, 32);
    const uri = `s3://${platform.resources.predictionsBucket}/${labelsPrefix(model)}${hourPath(now)}/${name}.jsonl`;
    await new S3Files(new S3Client(platform.connection)).put(uri, body, { contentType: 'application/x-ndjson' });
    const written = labels.length === 1 ? '1 label' : `${labels.length} labels`;
    emit(io, options, { model, labels: labels.length, uri }, () => `${written} written to ${uri}\n`);
  });
};
