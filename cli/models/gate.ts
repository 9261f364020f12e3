import type { Command } from 'commander';
import type { GateReport } from '../../lambda/pipeline/gate/types';
import { gatePageUri } from '../../lib/artifacts/contract';
import { versionNumber } from '../arguments';
import { CliError } from '../errors';
import { fields, number, table } from '../format';
import type { Io } from '../io';
import { emit, platformOptions, type PlatformOptions } from '../options';
import { deliverPage } from '../page';
import { findPlatform } from '../platform';
import { filesOf } from './document';

interface Options extends PlatformOptions {
  readonly report?: string;
  readonly open?: boolean;
}

export const register = (parent: Command, io: Io): void => {
  platformOptions(
    parent
      .command('gate')
      .description('what the gate made of a version, rule by rule; saves or opens its report')
      .argument('<model>')
      .argument('<version>', 'for example 3', versionNumber)
      .option('--report <file>', 'also save the report as an HTML file')
      .option('--open', 'also open the report in the browser'),
  ).action(async (model: string, number: number, _, command: Command) => {
    const options = command.optsWithGlobals<Options>();
    const { registry, connection } = await findPlatform(options);
    const { gate } = await registry.getVersion(model, number);
    if (!gate) throw new CliError(`no gate has judged ${model} v${number}`, 'only versions that a pipeline made have a report');
    const files = filesOf(connection);
    const report = await files.readJson<GateReport>(gate.reportUri);
    const pageUri = gatePageUri(gate.reportUri);
    emit(io, options, { ...report, pageUri }, () => told(io, report, pageUri));
    const { report: file, open } = options;
    if (file === undefined && !open) return;
    await deliverPage(io, { file, open, name: `${model}-v${number}-gate.html` }, await files.readBytes(pageUri));
  });
};

const shown = (value: number | undefined): string => (value === undefined ? '-' : number(value));

const told = (io: Io, { passed, reason, championVersion, rows, blocks, rules }: GateReport, pageUri: string): string => {
  const about = fields(io, {
    gate: `${passed ? 'passed' : 'not passed'}: ${reason}`,
    champion: championVersion === null ? 'there was none' : `v${championVersion}`,
    holdout: `${rows} rows${blocks.unit === 'day' ? ` of ${blocks.count} days` : ''}`,
    page: pageUri,
  });
  const judged = rules.map(({ rule, verdict, value, bound, text }) => [rule, verdict, shown(value), shown(bound), text]);
  return `${about}\n${table(io, ['rule', 'verdict', 'value', 'bound', 'what came of it'], judged)}`;
};
