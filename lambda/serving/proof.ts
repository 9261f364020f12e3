import * as z from 'zod';
import type { ReleaseRequest, ServingSpec, SmokeRequestSpec } from '../../lib/serving/contract';
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
      readonly smoke: Pick<SmokeTest, 'problem' | 'problemOf' | 'requests'>;
      readonly registry: Pick<ModelRegistryClient, 'champion'>;
    },
  ) {}

  /** Reads what the app states before the endpoint moves: what cannot be read afterwards proves nothing. */
  async ready({ rollback }: ReleaseRequest): Promise<void> {
    if (!rollback) await this.requests();
  }

  async problem({ rollback, version, prepared }: ReleaseRequest): Promise<string | undefined> {
    // What serves again has proven itself; its rows may be gone.
    if (rollback) return undefined;
    const { smoke } = this.parts;
    const { endpointName, deployment } = this.spec;
    const ofRows =
      deployment.smokeRows === 0 ? undefined : await smoke.problem(endpointName, version, deployment.smokeRows, Source.parse(prepared));
    const found = ofRows ?? (await smoke.problemOf(endpointName, version, await this.requests()));
    return found && `smoke request to version ${version}, ${found}`;
  }

  private async requests(): Promise<SmokeRequestSpec[]> {
    const { smokeRequestsUri } = this.spec;
    return smokeRequestsUri === undefined ? [] : this.parts.smoke.requests(smokeRequestsUri);
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
