import * as z from 'zod';
import type { ReleaseRequest, ServingSpec } from '../../lib/serving/contract';
import type { ModelRegistryClient } from '../registry/model-registry.client';
import type { Configurations } from './configurations';
import { rollbackConfig } from './deployment-config';
import type { EndpointClient } from './endpoint.client';
import type { SmokeTest } from './smoke-test';

const uri = z.string().startsWith('s3://');
const Source = z.object({ holdoutFeaturesUri: uri, candidateScoresUri: uri });

/** Requests with known answers to the endpoint that has just moved, and the way back where it answers something else. */
export class Proof {
  constructor(
    private readonly spec: ServingSpec,
    private readonly configurations: Configurations,
    private readonly parts: {
      readonly endpoints: EndpointClient;
      readonly smoke: Pick<SmokeTest, 'problem'>;
      readonly registry: Pick<ModelRegistryClient, 'champion'>;
    },
  ) {}

  async problem({ rollback, version, prepared }: ReleaseRequest): Promise<string | undefined> {
    const { endpointName, deployment } = this.spec;
    // What serves again has proven itself; its rows may be gone.
    if (rollback || deployment.smokeRows === 0) return undefined;
    const found = await this.parts.smoke.problem(endpointName, version, deployment.smokeRows, Source.parse(prepared));
    return found && `smoke request to version ${version}, ${found}`;
  }

  /** The configuration keeps the reason, since the endpoint needs minutes and whoever looks then has to know it. */
  async goBack({ endpointConfigName, previousEndpointConfigName = '' }: ReleaseRequest, reason: string): Promise<void> {
    const { endpoints } = this.parts;
    await this.configurations.refuse(endpointConfigName, reason);
    const champion = (await this.parts.registry.champion(this.spec.model))?.version;
    const before = await this.configurations.before(endpointConfigName, previousEndpointConfigName, champion);
    if (before) await endpoints.update(this.spec.endpointName, before, rollbackConfig(this.spec));
    else await endpoints.deleteEndpoint(this.spec.endpointName);
  }
}
