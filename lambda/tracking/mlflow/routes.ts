import { artifactRoutes } from './handlers/artifacts';
import { experimentRoutes } from './handlers/experiments';
import { loggedModelRoutes } from './handlers/logged-models';
import { metricRoutes } from './handlers/metrics';
import { runRoutes } from './handlers/runs';
import { serverRoutes } from './handlers/server';
import { tokenRoutes } from './handlers/token';
import { Router } from './router';

/** Every call that the API answers. */
export const router = new Router([
  ...runRoutes,
  ...metricRoutes,
  ...experimentRoutes,
  ...loggedModelRoutes,
  ...artifactRoutes,
  ...serverRoutes,
  ...tokenRoutes,
]);
