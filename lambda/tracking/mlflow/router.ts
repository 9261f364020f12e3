import { MlflowError } from './errors';
import { ApiRequest, RawRequest, Reply } from './http';
import { Stores } from './stores';

export interface Route {
  readonly method: string;
  /** `{name}` stands for one segment, `{name+}` for the rest of the path, which is not empty. */
  readonly path: string;
  /** `approve`: what decides about versions; only for requests that IAM has checked, whose caller stands in the history. */
  readonly access: 'read' | 'write' | 'approve';
  /** Answers a JSON object (200) or a Reply. */
  handle(request: ApiRequest, stores: Stores): Promise<unknown>;
}

interface Compiled {
  readonly route: Route;
  readonly pattern: RegExp;
  readonly names: readonly string[];
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

const compile = (route: Route): Compiled => {
  const names: string[] = [];
  const source = route.path.split(/(\{\w+\+?\})/).map((part) => {
    const name = /^\{(\w+)(\+?)\}$/.exec(part);
    if (!name) return escaped(part);
    names.push(name[1]);
    return name[2] ? '(.+)' : '([^/]+)';
  });
  return { route, pattern: new RegExp(`^${source.join('')}$`, 's'), names };
};

/** Calls of the web UI's pages are the same ones below another prefix. */
const AJAX = /^\/ajax-api\//;

/** Finds the route of a call: fixed paths by lookup, the others in the order of their tables; the first of two alike counts. */
export class Router {
  private readonly fixed = new Map<string, Map<string, Route>>();
  private readonly open: Compiled[] = [];

  constructor(routes: readonly Route[]) {
    for (const route of routes) {
      if (route.path.includes('{')) {
        this.open.push(compile(route));
      } else {
        const methods = this.fixed.get(route.path) ?? new Map<string, Route>();
        if (!methods.has(route.method)) this.fixed.set(route.path, methods.set(route.method, route));
      }
    }
  }

  find(method: string, path: string): { route: Route; params: Record<string, string> } {
    const asked = path.replace(AJAX, '/api/');
    const fixed = this.fixed.get(asked);
    const exact = fixed?.get(method);
    if (exact) return { route: exact, params: {} };
    const allowed = new Set(fixed?.keys());
    for (const { route, pattern, names } of this.open) {
      const match = pattern.exec(asked);
      if (!match) continue;
      if (route.method === method) return { route, params: Object.fromEntries(names.map((name, index) => [name, match[index + 1]])) };
      allowed.add(route.method);
    }
    if (allowed.size > 0) throw new MethodNotAllowed([...allowed].join(', '));
    throw new MlflowError('ENDPOINT_NOT_FOUND', `Not Found: ${method} ${path} is no call of this API.`);
  }
}

/** The path exists, but not with that method. */
export class MethodNotAllowed extends Error {
  constructor(readonly allowed: string) {
    super('Method Not Allowed');
  }

  reply(): Reply {
    const headers = { 'content-type': 'text/plain; charset=utf-8', allow: this.allowed };
    return new Reply(405, headers, `Method Not Allowed: ${this.allowed} is allowed.`);
  }
}

/** Path of a call's route as its table writes it, for the log: names of models and files stay out of it. */
export const routeOf = (router: Router, method: string, rawPath: string): string => {
  try {
    return router.find(method, rawPath.replace(/^\/*\/[^/]+/, '')).route.path;
  } catch {
    return 'none';
  }
};

export interface Answered {
  readonly reply: Reply;
}

/** Runs one call; every fault leaves as it is, for the entry to log and to answer. */
export const answer = async (router: Router, raw: RawRequest, stores: () => Stores): Promise<Answered> => {
  const { route, params } = router.find(raw.method, raw.path);
  if (route.access === 'write' && raw.caller.access !== 'write') {
    throw new MlflowError('PERMISSION_DENIED', `Permission denied: ${raw.caller.id} may read here, not write.`);
  }
  if (route.access === 'approve' && raw.caller.viaToken) {
    throw new MlflowError('PERMISSION_DENIED', 'Permission denied: this call takes a request signed with IAM credentials, no bearer token.');
  }
  const result = await route.handle(new ApiRequest(raw, params), stores());
  return { reply: result instanceof Reply ? result : Reply.json(result ?? {}) };
};
