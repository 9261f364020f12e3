import { ArtifactFiles } from '../artifact-files.client';
import { ARTIFACT_ROOT, contentTypeOf, dispositionOf, joined, keyOfRoot, safePath } from '../artifact-paths';
import { invalid, missing } from '../errors';
import { integer, missingField, objects, optionalText, required, runIdOf, text } from '../fields';
import { ApiRequest, Json, Reply } from '../http';
import { aboutVersion, versionNumber } from '../registry-fields';
import type { Route } from '../router';
import type { Stores } from '../stores';
import { artifactRootOfVersion } from '../version-source';

/** Above this an answer is an address of S3 instead: Lambda hands on 6 MB, and binary content grows by a third on its way. */
const MOST_BYTES_INLINE = 4_000_000;

/** Listings that are longer go on by a token, or not at all where the call knows none. */
const MOST_LISTED = 20_000;

/** As many addresses as fit into an answer; at 10 MB a part, the client's standard, files of 20 GB. */
const MOST_PARTS = 2_000;

export type FilesOf = (stores: Stores) => ArtifactFiles;

interface Listed {
  readonly files: readonly Json[];
  readonly next?: string;
}

/** Everything in a directory, `name` first put through `named`. */
const listed = async (files: ArtifactFiles, key: string, named: (name: string) => string, from?: string): Promise<Listed> => {
  const found: Json[] = [];
  let token = from;
  do {
    const page = await files.list(key, token);
    for (const { name, isDirectory, bytes } of page.entries) {
      found.push({ path: named(name), is_dir: isDirectory, ...(isDirectory ? {} : { file_size: bytes }) });
    }
    token = page.next;
  } while (token !== undefined && found.length < MOST_LISTED);
  return { files: found, next: token };
};

/** Content of an object, or where it is too large for an answer the way to it. */
const download = async (files: ArtifactFiles, key: string, path: string): Promise<Reply> => {
  const presentation = { contentType: contentTypeOf(path), disposition: dispositionOf(path) };
  const content = await files.read(key, MOST_BYTES_INLINE);
  if (content === undefined) throw missing(`No such artifact: '${path}'`);
  if (!Buffer.isBuffer(content)) return Reply.redirect(await files.presignedDownload(key, presentation));
  return Reply.bytes(content, {
    'content-type': presentation.contentType,
    'content-disposition': presentation.disposition,
    'x-content-type-options': 'nosniff',
  });
};

const queryPath = (request: ApiRequest, name = 'path'): string => {
  const path = safePath(request.query.get(name) ?? '');
  if (path === '') throw missingField(name);
  return path;
};

/** Listing of a root: paths relative to it, one page that the caller's token may follow. */
const listBelow = async (files: ArtifactFiles, rootKey: string, rootUri: string, path: string, token?: string): Promise<Json> => {
  const { files: found, next } = await listed(files, joined(rootKey, path), (name) => joined(path, name).replace(/^\//, ''), token);
  return { root_uri: rootUri, ...(found.length > 0 ? { files: found } : {}), ...(next === undefined ? {} : { next_page_token: next }) };
};

interface Root {
  readonly uri: string;
  readonly key: string;
}

const rootOfRun = async (runId: string, { runs, artifactsBucket }: Stores): Promise<Root> => {
  const { artifactUri, pipeline } = await runs.get(runId);
  return { uri: artifactUri, key: keyOfRoot(artifactUri, artifactsBucket, pipeline !== undefined) };
};

const rootOfLoggedModel = async (modelId: string, { loggedModels, artifactsBucket }: Stores): Promise<Root> => {
  const { artifactUri } = await loggedModels.get(modelId);
  return { uri: artifactUri, key: keyOfRoot(artifactUri, artifactsBucket, false) };
};

/** S3 takes addresses that hold for a week at most; those of a role end with its session. */
const LONGEST_SECONDS = 604_800;
const UPLOAD_SECONDS = 900;
const DOWNLOAD_SECONDS = 3_600;

const secondsOf = (json: Json, standard: number): number => {
  const seconds = integer(json, 'expiration') ?? standard;
  if (seconds >= 1 && seconds <= LONGEST_SECONDS) return seconds;
  throw invalid(`expiration must be between 1 and ${LONGEST_SECONDS} seconds (got ${seconds}).`);
};

/** Address to which a file of a run or of a logged model is sent. What a pipeline recorded is not written from outside. */
const presignUpload = async (request: ApiRequest, stores: Stores, files: ArtifactFiles): Promise<Json> => {
  const json = request.json();
  const [runId, modelId] = [text(json, 'run_id'), text(json, 'model_id')];
  if ((runId === '') === (modelId === '')) throw invalid('Exactly one of run_id and model_id must be provided.');
  const path = safePath(required(json, 'path'));
  if (path === '') throw invalid('Invalid path');
  const seconds = secondsOf(json, UPLOAD_SECONDS);
  const { artifactUri } = runId === '' ? await stores.loggedModels.get(modelId) : await stores.runs.get(runId);
  const root = keyOfRoot(artifactUri, stores.artifactsBucket, false);
  return { presigned_url: await files.presignedUpload(joined(root, path), seconds), headers: {} };
};

const presignDownload = async (request: ApiRequest, stores: Stores, files: ArtifactFiles): Promise<Json> => {
  const json = request.json();
  const runId = required(json, 'run_id');
  const path = safePath(required(json, 'path'));
  const seconds = secondsOf(json, DOWNLOAD_SECONDS);
  const key = joined((await rootOfRun(runId, stores)).key, path);
  const bytes = await files.size(key);
  if (bytes === undefined) throw missing(`No such artifact: '${path}'`);
  return { presigned_url: await files.presignedDownload(key, undefined, seconds), headers: {}, file_size: bytes };
};

const PROXY = '/api/2.0/mlflow-artifacts';

const proxiedPath = (request: ApiRequest, name = 'path'): string => {
  const path = safePath(request.pathParams[name]);
  if (path === '') throw invalid('Invalid path');
  return path;
};

/** Key of a file that is uploaded in parts: the URL names its directory, the body its name (of which the last part counts). */
const partedKey = (request: ApiRequest): string => {
  const name = required(request.json(), 'path').split('/').at(-1) ?? '';
  const directory = request.pathParams.path === undefined ? '' : safePath(request.pathParams.path);
  const path = safePath(directory === '' ? name : `${directory}/${name}`);
  if (name === '' || path === directory) throw invalid('Invalid path');
  return `${ARTIFACT_ROOT}${path}`;
};

/** What S3 says about an upload that is over, or about parts that it has not got. */
const UPLOAD_FAULTS: Readonly<Record<string, string>> = {
  NoSuchUpload: 'There is no such upload: it was completed or aborted.',
  InvalidPart: 'A part was not uploaded, or its etag is another one.',
  InvalidPartOrder: 'The parts are not in order.',
  EntityTooSmall: 'Every part but the last must have at least 5 MiB.',
};

/** One step of an upload in parts, in a directory and at the top. */
function parted(step: string, handle: (request: ApiRequest, files: ArtifactFiles, key: string) => Promise<Json>, filesOf: FilesOf): Route[] {
  return ['', '/{path+}'].map((directory) => ({
    method: 'POST',
    path: `${PROXY}/mpu/${step}${directory}`,
    access: 'write',
    handle: async (request, stores) => {
      try {
        return await handle(request, filesOf(stores), partedKey(request));
      } catch (error) {
        const fault = UPLOAD_FAULTS[(error as Error).name];
        throw fault === undefined ? error : invalid(fault);
      }
    },
  }));
}

const createArtifactRoutes = (filesOf: FilesOf): readonly Route[] => [
  {
    method: 'GET',
    path: '/api/2.0/mlflow/artifacts/list',
    access: 'read',
    handle: async (request, stores) => {
      const json = request.json();
      const root = await rootOfRun(runIdOf(json), stores);
      return listBelow(filesOf(stores), root.key, root.uri, safePath(text(json, 'path')), optionalText(json, 'page_token') || undefined);
    },
  },
  {
    method: 'POST',
    path: '/api/2.0/mlflow/artifacts/presigned-upload-url',
    access: 'write',
    handle: (request, stores) => presignUpload(request, stores, filesOf(stores)),
  },
  {
    method: 'POST',
    path: '/api/2.0/mlflow/artifacts/presigned-download-url',
    access: 'read',
    handle: (request, stores) => presignDownload(request, stores, filesOf(stores)),
  },
  {
    method: 'GET',
    path: '/get-artifact',
    access: 'read',
    handle: async (request, stores) => {
      const path = queryPath(request);
      const root = await rootOfRun(runIdOf(request.json()), stores);
      return download(filesOf(stores), joined(root.key, path), path);
    },
  },
  {
    method: 'GET',
    path: '/model-versions/get-artifact',
    access: 'read',
    handle: async (request, stores) => {
      const path = queryPath(request);
      const json = request.json();
      const name = required(json, 'name');
      const number = versionNumber(json);
      const version = await aboutVersion(name, number, () => stores.registry.getVersion(name, number));
      const root = await artifactRootOfVersion(version, stores);
      return download(filesOf(stores), joined(root, path), path);
    },
  },
  {
    method: 'GET',
    path: '/api/2.0/mlflow/logged-models/{model_id}/artifacts/files',
    access: 'read',
    handle: async (request, stores) => {
      const path = queryPath(request, 'artifact_file_path');
      const root = await rootOfLoggedModel(request.pathParams.model_id, stores);
      return download(filesOf(stores), joined(root.key, path), path);
    },
  },
  {
    method: 'GET',
    path: '/api/2.0/mlflow/logged-models/{model_id}/artifacts/directories',
    access: 'read',
    handle: async (request, stores) => {
      const json = request.json();
      const root = await rootOfLoggedModel(request.pathParams.model_id, stores);
      const path = safePath(text(json, 'artifact_directory_path'));
      return listBelow(filesOf(stores), root.key, root.uri, path, optionalText(json, 'page_token') || undefined);
    },
  },
  {
    method: 'GET',
    path: `${PROXY}/artifacts`,
    access: 'read',
    handle: async (request, stores) => {
      const directory = safePath(text(request.json(), 'path'));
      const { files, next } = await listed(filesOf(stores), `${ARTIFACT_ROOT}${directory}`, (name) => name);
      // Whoever asks here knows of no second page and would take a part for the whole.
      if (next !== undefined) {
        throw invalid(`'${directory}' holds more than ${MOST_LISTED} files: list it through its s3:// location, or spread them over directories.`);
      }
      // Size 0 is left out here, as MLflow's server does.
      return files.length === 0 ? {} : { files: files.map(({ file_size: bytes, ...rest }) => (bytes ? { ...rest, file_size: bytes } : rest)) };
    },
  },
  {
    method: 'GET',
    path: `${PROXY}/artifacts/{path+}`,
    access: 'read',
    handle: async (request, stores) => {
      const path = proxiedPath(request);
      return download(filesOf(stores), `${ARTIFACT_ROOT}${path}`, path);
    },
  },
  {
    method: 'PUT',
    path: `${PROXY}/artifacts/{path+}`,
    access: 'write',
    handle: async (request, stores) => {
      const path = proxiedPath(request);
      await filesOf(stores).write(`${ARTIFACT_ROOT}${path}`, request.bytes(), contentTypeOf(path));
      return {};
    },
  },
  {
    method: 'DELETE',
    path: `${PROXY}/artifacts/{path+}`,
    access: 'write',
    handle: async (request, stores) => {
      await filesOf(stores).remove(`${ARTIFACT_ROOT}${proxiedPath(request)}`);
      return {};
    },
  },
  {
    method: 'GET',
    path: `${PROXY}/presigned/{path+}`,
    access: 'read',
    handle: async (request, stores) => {
      const path = proxiedPath(request);
      const files = filesOf(stores);
      const bytes = await files.size(`${ARTIFACT_ROOT}${path}`);
      if (bytes === undefined) throw missing(`No such artifact: '${path}'`);
      return { url: await files.presignedDownload(`${ARTIFACT_ROOT}${path}`), headers: {}, file_size: bytes };
    },
  },
  ...parted('create', async (request, files, key) => {
    const count = integer(request.json(), 'num_parts') ?? 1;
    if (count < 1 || count > MOST_PARTS) {
      throw invalid(`num_parts must be between 1 and ${MOST_PARTS}, but got ${count}: set MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE to larger parts.`);
    }
    const uploadId = await files.startUpload(key, contentTypeOf(key));
    const numbers = Array.from({ length: count }, (_, index) => index + 1);
    const credentials = await Promise.all(
      numbers.map(async (number) => ({ url: await files.presignedPart(key, uploadId, number), part_number: number, headers: {} })),
    );
    return { upload_id: uploadId, credentials };
  }, filesOf),
  ...parted('complete', async (request, files, key) => {
    const json = request.json();
    const parts = objects(json, 'parts').map((part) => ({ number: integer(part, 'part_number') ?? 0, etag: required(part, 'etag') }));
    if (parts.length === 0) throw missingField('parts');
    await files.completeUpload(key, required(json, 'upload_id'), parts.sort((a, b) => a.number - b.number));
    return {};
  }, filesOf),
  ...parted('abort', async (request, files, key) => {
    await files.abortUpload(key, required(request.json(), 'upload_id'));
    return {};
  }, filesOf),
];

let shared: ArtifactFiles | undefined;

export const artifactRoutes: readonly Route[] = createArtifactRoutes(({ artifactsBucket }) => (shared ??= new ArtifactFiles(artifactsBucket)));
