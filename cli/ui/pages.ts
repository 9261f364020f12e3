import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import path from 'node:path';

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.gif': 'image/gif',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.jpg': 'image/jpeg',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.ttf': 'font/ttf',
  '.wasm': 'application/wasm',
  '.webp': 'image/webp',
  '.woff': 'font/woff',
  '.woff2': 'font/woff2',
};

/** The pages ask for their own files below this. */
const STATIC = '/static-files/';

/** File that a path of the pages means; undefined for every other path. */
export const fileOf = (root: string, urlPath: string): string | undefined => {
  if (urlPath === '/' || urlPath === '/index.html') return path.join(root, 'index.html');
  if (!urlPath.startsWith(STATIC)) return undefined;
  let name: string;
  try {
    name = decodeURIComponent(urlPath.slice(STATIC.length));
  } catch {
    return undefined;
  }
  const file = path.resolve(root, name);
  return file.startsWith(`${path.resolve(root)}${path.sep}`) && !name.includes('\0') ? file : undefined;
};

/** Sends a file of the pages; answers whether there is one. */
export async function sendFile(response: ServerResponse, root: string, urlPath: string): Promise<boolean> {
  const file = fileOf(root, urlPath);
  const found = file === undefined ? undefined : await stat(file).catch(() => undefined);
  if (file === undefined || !found?.isFile()) return false;
  const isNamedByContent = urlPath.startsWith(`${STATIC}static/`);
  response.writeHead(200, {
    'content-type': TYPES[path.extname(file)] ?? 'application/octet-stream',
    'content-length': found.size,
    'cache-control': isNamedByContent ? 'private, max-age=31536000, immutable' : 'no-store',
  });
  await new Promise<void>((resolve) => {
    createReadStream(file).on('error', () => response.destroy()).on('close', resolve).pipe(response);
  });
  return true;
}
