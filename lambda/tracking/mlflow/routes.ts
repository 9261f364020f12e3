import { Router } from './router';

/**
 * Every call that the API answers. Each file of `handlers/` exports one table, named after it:
 * `export const runRoutes: readonly Route[]`.
 */
export const router = new Router([]);
