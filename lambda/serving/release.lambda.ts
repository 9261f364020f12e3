import * as z from 'zod';
import { type ReleaseStatus, SERVING_ENV, type ServingSpec } from '../../lib/serving/contract';
import { requireJsonEnv } from '../common/env';
import { createLogger } from '../common/logger';
import { ModelRegistryClient } from '../registry/model-registry.client';
import { EndpointClient } from './endpoint.client';
import { Release } from './release';

const logger = createLogger('serving/release');
const endpoints = new EndpointClient();
const registry = new ModelRegistryClient();

const Request = z.object({
  action: z.enum(['start', 'check']),
  version: z.number().int().positive(),
  sagemakerModelName: z.string().min(1),
  endpointConfigName: z.string().min(1).max(63),
  expectedChampion: z.number().int().positive().nullable(),
  redriveCount: z.number().int().nonnegative(),
  startedAtRedrive: z.number().int().nonnegative().optional(),
  previousEndpointConfigName: z.string().optional(),
});

/** A step of the pipeline: starts the switch of the endpoint to a version, or looks whether it has happened. */
export const handler = async (event: unknown): Promise<ReleaseStatus> => {
  const request = Request.parse(event);
  const status = await new Release(requireJsonEnv<ServingSpec>(SERVING_ENV.spec), endpoints, registry).handle(request);
  logger.info(`release ${request.action}`, { version: request.version, ...status });
  return status;
};
