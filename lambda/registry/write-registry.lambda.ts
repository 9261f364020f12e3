import { REGISTRY_ERRORS } from '../../lib/registry/contract';
import { NamedError } from '../common/errors';
import { createLogger } from '../common/logger';
import { invalid } from './names';
import { RegistryWriter } from './registry-writer';
import { WriteAnswer, WriteMethod, WriteRequest, WRITES } from './write-request';

const logger = createLogger('write-registry');
const writer = new RegistryWriter();
const refusals = new Set<string>(Object.values(REGISTRY_ERRORS));

/** The one function that may add to the history: carries out every change of the registry in its own transaction. */
export const handler = async (event: WriteRequest): Promise<WriteAnswer> => {
  try {
    const { method, args } = parse(event);
    const value = await (writer[method] as (...all: unknown[]) => Promise<unknown>).apply(writer, args);
    logger.info('registry changed', { method });
    return { ok: true, value };
  } catch (error) {
    if (!(error instanceof NamedError) || !refusals.has(error.name)) throw error;
    logger.info('change refused', { method: event.method, error: error.name });
    return { ok: false, name: error.name, message: error.message };
  }
};

const parse = ({ method, args }: WriteRequest): { readonly method: WriteMethod; readonly args: unknown[] } => {
  if (!Object.hasOwn(WRITES, method)) throw invalid(`the registry knows no change '${method}'`);
  const parsed = WRITES[method].safeParse(args);
  if (parsed.success) return { method, args: parsed.data };
  const [issue] = parsed.error.issues;
  throw invalid(`${method}: ${issue.path.join('.')} ${issue.message}`);
};
