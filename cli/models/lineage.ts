import type { Command } from 'commander';
import type { Traced } from '../../lambda/registry/card-document';
import type { LineageClient } from '../../lambda/tracking/lineage.client';
import type { LineageNode } from '../../lib/tracking/contract';
import { versionNumber } from '../arguments';
import { localTime, strong } from '../format';
import type { Io } from '../io';
import { emit, platformOptions, type PlatformOptions } from '../options';
import { findPlatform } from '../platform';

/** Hops from one end to the other are four; more are a loop in the records. */
const MOST_HOPS = 8;

export const register = (parent: Command, io: Io): void => {
  platformOptions(
    parent
      .command('lineage')
      .description('what a version was made from, and where it went: data, run, version, endpoint, predictions')
      .argument('<model>')
      .argument('<version>', 'for example 3', versionNumber),
  ).action(async (model: string, version: number, _, command: Command) => {
    const options = command.optsWithGlobals<PlatformOptions>();
    const { lineage, registry } = await findPlatform(options);
    await registry.getVersion(model, version);
    const node: LineageNode = { kind: 'version', id: `${model}/${version}` };
    const [madeFrom, wentTo] = await Promise.all([trace(lineage, node, 'from'), trace(lineage, node, 'to')]);
    emit(io, options, { node, madeFrom, wentTo }, () => {
      const part = (title: string, traced: readonly Traced[]) =>
        `${strong(io, title)}\n${traced.length === 0 ? '  nothing on record\n' : tree(traced, '  ')}`;
      return `${model} v${version}\n${part('made from', madeFrom)}${part('went to', wentTo)}`;
    });
  });
};

/** What a node was made from, or what came of it, hop by hop. */
export const trace = async (lineage: LineageClient, node: LineageNode, direction: 'from' | 'to', hops = MOST_HOPS): Promise<readonly Traced[]> => {
  if (hops === 0) return [];
  const edges = await lineage[direction](node);
  return Promise.all(edges.map(async (edge) => ({ ...edge, next: await trace(lineage, edge.node, direction, hops - 1) })));
};

const tree = (traced: readonly Traced[], indent: string): string =>
  traced.map(({ node, at, next }) => `${indent}${node.kind} ${node.id}  ${localTime(at)}\n${tree(next, `${indent}  `)}`).join('');
