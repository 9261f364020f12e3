import type { S3Files } from '../common/s3.client';

/** URIs of an object, or of those below a prefix in the order of their keys. */
export async function objectsAt(files: S3Files, uri: string): Promise<string[]> {
  if (!uri.endsWith('/') && (await files.head(uri)) !== undefined) {
    return [uri];
  }
  const found: string[] = [];
  for await (const object of files.list(uri.endsWith('/') ? uri : `${uri}/`)) {
    found.push(object.uri);
  }
  if (found.length === 0) {
    throw new Error(`there is no object at or below ${uri}`);
  }
  return found;
}
