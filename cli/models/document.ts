import { S3Client } from '@aws-sdk/client-s3';
import { S3Files } from '../../lambda/common/s3.client';
import { type GateReport, type VersionDocument, versionDocument } from '../../lambda/registry/card-document';
import type { DataManifest } from '../../lib/artifacts/contract';
import { TRACKING_ERRORS, type LineageNode } from '../../lib/tracking/contract';
import type { Connection, Platform } from '../platform';
import { trace } from './lineage';

/** S3 as the connection reaches it; an engine answers by path, not by host. */
export const filesOf = (connection: Connection): S3Files => new S3Files(s3Of(connection));

export const s3Of = (connection: Connection): S3Client => new S3Client({ ...connection, forcePathStyle: connection.endpoint !== undefined });

/** Everything on record about a version. */
export const readDocument = async (platform: Platform, name: string, number: number, tell: (remark: string) => void): Promise<VersionDocument> => {
  const { registry, lineage, runs } = platform;
  const files = filesOf(platform.connection);
  const node: LineageNode = { kind: 'version', id: `${name}/${number}` };
  const [model, version, history, madeFrom, wentTo] = await Promise.all([
    registry.getModel(name),
    registry.getVersion(name, number),
    registry.history(name),
    trace(lineage, node, 'from'),
    trace(lineage, node, 'to'),
  ]);
  const { runId, dataManifestUri, gate } = version;
  /** The record itself is in the registry; what it points to may be closed to the reader, or gone. */
  const optional = async <T>(uri: string | undefined): Promise<T | undefined> => {
    if (uri === undefined) return undefined;
    try {
      return await files.readJson<T>(uri);
    } catch (error) {
      tell(`left out: ${(error as Error).message}`);
      return undefined;
    }
  };
  const [run, data, gateReport] = await Promise.all([
    runId === undefined ? undefined : runs.getRun(runId).catch(unlessMissing),
    optional<DataManifest>(dataManifestUri),
    optional<GateReport>(gate?.reportUri),
  ]);
  return versionDocument({ platform: platform.name, model, version, history, madeFrom, wentTo, run, data, gateReport });
};

const unlessMissing = (error: unknown): undefined => {
  if (error instanceof Error && error.name === TRACKING_ERRORS.notFound) return undefined;
  throw error;
};
