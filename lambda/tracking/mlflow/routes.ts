import { artifactRoutes } from './handlers/artifacts';
import { experimentRoutes } from './handlers/experiments';
import { loggedModelRoutes } from './handlers/logged-models';
import { metricRoutes } from './handlers/metrics';
import { mlopsRoutes } from './handlers/mlops';
import { modelVersionRoutes } from './handlers/model-versions';
import { outOfScopeRoutes } from './handlers/out-of-scope';
import { registeredModelRoutes } from './handlers/registered-models';
import { runRoutes } from './handlers/runs';
import { searchRoutes } from './handlers/search';
import { serverRoutes } from './handlers/server';
import { tokenRoutes } from './handlers/token';
import { uiRoutes } from './handlers/ui';
import { Route, Router } from './router';

/** Every call that the API answers. */
export const routes: readonly Route[] = [
  ...runRoutes,
  ...metricRoutes,
  ...searchRoutes,
  ...experimentRoutes,
  ...loggedModelRoutes,
  ...registeredModelRoutes,
  ...modelVersionRoutes,
  ...artifactRoutes,
  ...mlopsRoutes,
  ...serverRoutes,
  ...tokenRoutes,
  ...uiRoutes,
  ...outOfScopeRoutes,
];

export const router = new Router(routes);
