import { parseS3Uri } from '../../common/s3-uri';
import { invalid } from './errors';

/** Below this the API reads and writes, in the bucket of artifacts. */
export const ARTIFACT_ROOT = 'mlflow/';

/** Below this pipelines keep what their runs made; the API reads it, and only where the pipeline itself says so. */
const PIPELINE_ROOT = 'runs/';

/** Escapes of a URL undone, one layer; a percent sign that begins none stays, and keeps no escape beside it from being seen. */
const decoded = (text: string): string =>
  text.replace(/(?:%[0-9a-f]{2})+/gi, (escapes) => Buffer.from(escapes.replaceAll('%', ''), 'hex').toString('utf8'));

/** The same until nothing is left to undo; every layer makes the text shorter. */
export const fullyDecoded = (text: string): string => {
  const once = decoded(text);
  return once === text ? text : fullyDecoded(once);
};

/** S3 takes these characters; in a path that people and URLs carry they mean something else. */
const FORBIDDEN = /[\\#\p{Cc}]/u;

const isSafe = (path: string): boolean =>
  !FORBIDDEN.test(path) && !path.startsWith('/') && !/^[A-Za-z]:/.test(path) && !/^file:/i.test(path) && !path.split('/').includes('..');

/** A path relative to some root that stays below it however often it is decoded; `.` and doubled slashes left out. */
export const safePath = (text: string): string => {
  if (!isSafe(text) || !isSafe(fullyDecoded(text))) throw invalid('Invalid path');
  return text
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/');
};

export const joined = (root: string, path: string): string => (path === '' ? root : root.endsWith('/') ? `${root}${path}` : `${root}/${path}`);

const PROXIED = /^mlflow-artifacts:(?:\/\/[^/]*)?\/*(.*)$/;

/** Key of what a URI of the proxied scheme means; undefined for other URIs. */
export const proxiedKey = (uri: string): string | undefined => {
  const path = PROXIED.exec(uri)?.[1];
  return path === undefined ? undefined : `${ARTIFACT_ROOT}${safePath(path)}`;
};

/**
 * Key below which the artifacts of a run, logged model or version stand in the bucket. Anything that a caller may have named himself must lie below
 * `mlflow/`, so that nobody reads through the API what only the API may read.
 */
export const keyOfRoot = (uri: string, bucket: string, byPipeline: boolean): string => {
  const proxied = proxiedKey(uri);
  if (proxied !== undefined) return proxied;
  const place = uri.startsWith('s3://') ? parseS3Uri(uri) : undefined;
  const allowed = byPipeline ? [ARTIFACT_ROOT, PIPELINE_ROOT] : [ARTIFACT_ROOT];
  if (place?.bucket === bucket) {
    const key = `${safePath(place.key)}/`;
    if (allowed.some((root) => key.startsWith(root))) return key.slice(0, -1);
  }
  throw invalid(`Artifacts at '${uri}' lie outside of this platform's store: read them with MLflow's client, which uses your own credentials.`);
};

/** Types that a browser shows as text, as MLflow's server tells them. */
const TEXT_NAMES = new Set(['MLmodel', 'MLproject']);
const TEXT_ENDINGS = new Set(
  'txt log err cfg conf cnf cf ini properties prop hocon toml yaml yml xml json js py py3 csv tsv md rst sql jsonl jsonnet gitignore'.split(' '),
);
const TYPES: Readonly<Record<string, string>> = {
  bmp: 'image/bmp',
  gif: 'image/gif',
  html: 'text/html',
  htm: 'text/html',
  jpeg: 'image/jpeg',
  jpg: 'image/jpeg',
  mp3: 'audio/mpeg',
  mp4: 'video/mp4',
  pdf: 'application/pdf',
  png: 'image/png',
  svg: 'image/svg+xml',
  wav: 'audio/x-wav',
  webm: 'video/webm',
  webp: 'image/webp',
  zip: 'application/zip',
};

export const contentTypeOf = (path: string): string => {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const ending = name.includes('.') ? name.slice(name.lastIndexOf('.') + 1).toLowerCase() : '';
  if (TEXT_NAMES.has(name) || TEXT_ENDINGS.has(ending)) return 'text/plain';
  return TYPES[ending] ?? 'application/octet-stream';
};

/** Always an attachment: a page among the artifacts must not run as one of this API's own. */
export const dispositionOf = (path: string): string => {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const plain = name.replace(/[^\x20-\x7e]|["\\]/g, '_');
  const strict = encodeURIComponent(name).replace(/['()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
  return plain === name ? `attachment; filename="${plain}"` : `attachment; filename="${plain}"; filename*=UTF-8''${strict}`;
};
