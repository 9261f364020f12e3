import { Reply } from '../http';
import type { Route } from '../router';

/** Version of MLflow whose protocol this API speaks. */
const MLFLOW_VERSION = '3.17.2';

/** What a client may rely on; it asks before the first proxied download. */
const SERVER_INFO = {
  store_type: 'SqlStore',
  workspaces_enabled: false,
  trace_archival_enabled: false,
  multipart_uploads_enabled: true,
  multipart_downloads_enabled: true,
  presigned_upload_run_id_supported: true,
  presigned_upload_model_id_supported: true,
  features_enabled: { gateway: false },
};

export const serverRoutes: readonly Route[] = [
  { method: 'GET', path: '/health', access: 'read', handle: async () => Reply.text('OK') },
  { method: 'GET', path: '/version', access: 'read', handle: async () => Reply.text(MLFLOW_VERSION) },
  { method: 'GET', path: '/api/3.0/mlflow/server-info', access: 'read', handle: async () => SERVER_INFO },
];
