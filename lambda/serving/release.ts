import type { DescribeEndpointCommandOutput } from '@aws-sdk/client-sagemaker';
import type { ReleaseRequest, ReleaseStatus, ServingSpec } from '../../lib/serving/contract';
import { NamedError } from '../common/errors';
import type { ModelRegistryClient } from '../registry/model-registry.client';
import { Configurations } from './configurations';
import { deploymentConfig, rollbackConfig } from './deployment-config';
import type { EndpointClient } from './endpoint.client';
import { Proof } from './proof';
import { failed } from './release-failure';
import type { RollbackAlarms } from './rollback-alarms.client';
import type { SmokeTest } from './smoke-test';
import { Standing } from './standing';
import { isOnItsWay, turnRound } from './turn-round';

/** The endpoint is doing something that ends by itself. */
const BUSY: readonly (string | undefined)[] = ['Creating', 'Updating', 'SystemUpdating', 'RollingBack', 'Deleting'];

/** Retried by the state machine: somebody else's change of the endpoint, or its deletion, has to end first. */
const busy = (message: string): NamedError => new NamedError('ServiceUnavailable', message);

export interface ReleaseParts {
  readonly endpoints: EndpointClient;
  readonly registry: Pick<ModelRegistryClient, 'champion' | 'getVersion'>;
  readonly alarms: RollbackAlarms;
  readonly smoke: Pick<SmokeTest, 'problem'>;
}

/** Moves the live endpoint to a configuration, says when it is there, and proves it. Both actions may be repeated. */
export class Release {
  private readonly configurations: Configurations;
  private readonly proof: Proof;
  private readonly standing: Standing;

  constructor(
    private readonly spec: ServingSpec,
    private readonly parts: ReleaseParts,
  ) {
    this.configurations = new Configurations(spec, parts);
    this.proof = new Proof(spec, this.configurations, parts);
    this.standing = new Standing(spec, parts.registry);
  }

  async handle(request: ReleaseRequest): Promise<ReleaseStatus> {
    if (request.action === 'start') return this.start(request);
    // What the last check watched has failed for good, otherwise nobody would have redriven the execution.
    if (request.startedAtRedrive !== request.redriveCount) return this.start(request);
    return this.check(request);
  }

  private async start(request: ReleaseRequest): Promise<ReleaseStatus> {
    const { endpointName } = this.spec;
    const wanted = request.endpointConfigName;
    const moved = await this.standing.moved(request);
    if (moved) return { ...this.status(request, 'Untouched', ''), championMoved: true, prepared: moved };
    const found = await this.parts.endpoints.describe(endpointName);
    const live = found && request.rollback ? await turnRound(found, wanted, this.parts) : found;
    const pending = await this.standing.pendingPromotion(request, live?.EndpointConfigName);
    if (pending) throw busy(pending);
    await this.configurations.ensure(request, live);
    const previous = live?.EndpointConfigName === wanted ? request.previousEndpointConfigName : live?.EndpointConfigName;
    if (!live) {
      await this.parts.endpoints.create(endpointName, wanted);
    } else if (live.EndpointStatus === 'Failed') {
      // A failed endpoint serves nobody and can only be deleted; the retry of this state creates it.
      await this.parts.endpoints.deleteEndpoint(endpointName);
      throw busy(`endpoint ${endpointName} had failed (${live.FailureReason ?? 'no reason given'}) and is being deleted before it is created anew`);
    } else if (BUSY.includes(live.EndpointStatus)) {
      if (live.EndpointStatus === 'Deleting' || !isOnItsWay(live, wanted)) {
        throw busy(`endpoint ${endpointName} is ${live.EndpointStatus}, another change of it has to end first`);
      }
    } else if (live.EndpointConfigName !== wanted || live.EndpointStatus !== 'InService') {
      await this.update(request);
    }
    return this.status(request, live ? 'Updating' : 'Creating', previous ?? '');
  }

  private async update({ endpointConfigName, rollback }: ReleaseRequest): Promise<void> {
    const { endpoints, alarms } = this.parts;
    const { endpointName, kind } = this.spec;
    const names = kind === 'REAL_TIME' && !rollback ? await alarms.ensure(this.spec, endpointConfigName, 'deployment') : [];
    await endpoints.update(endpointName, endpointConfigName, rollback ? rollbackConfig(this.spec) : deploymentConfig(this.spec, names));
  }

  private async check(request: ReleaseRequest): Promise<ReleaseStatus> {
    const { endpointName } = this.spec;
    const wanted = request.endpointConfigName;
    const live = await this.parts.endpoints.describe(endpointName);
    if (live && BUSY.includes(live.EndpointStatus)) {
      return this.status(request, live.EndpointStatus ?? 'Unknown', request.previousEndpointConfigName ?? '');
    }
    const refused = await this.configurations.refusalOf(wanted);
    if (!live) {
      if (refused) throw failed(wanted, 'no endpoint', `${refused}; nothing had served before, so the endpoint was removed`);
      throw failed(wanted, 'no endpoint', `endpoint ${endpointName} is gone: somebody deleted it during the release`);
    }
    this.requireLive(live, wanted, refused);
    await this.configurations.verify(request);
    const problem = (await this.standing.lost(request)) ?? (await this.proof.problem(request));
    if (problem !== undefined) {
      await this.proof.goBack(request, problem);
      return this.status(request, 'RollingBack', request.previousEndpointConfigName ?? '');
    }
    await this.configurations.settle(wanted, request.previousEndpointConfigName ?? '');
    return { ...this.status(request, 'InService', request.previousEndpointConfigName ?? ''), done: true };
  }

  /** SageMaker answers an update that it took back like one that went well: only the configuration tells. */
  private requireLive(live: DescribeEndpointCommandOutput, wanted: string, refused?: string): void {
    const { EndpointStatus, EndpointConfigName = '', FailureReason } = live;
    const { endpointName } = this.spec;
    const reason = FailureReason ? `: ${FailureReason}` : '';
    if (EndpointStatus !== 'InService') throw failed(wanted, EndpointConfigName, `endpoint ${endpointName} ended as ${EndpointStatus}${reason}`);
    if (EndpointConfigName === wanted) {
      if (!refused) return;
      throw failed(wanted, wanted, `${refused}; endpoint ${endpointName} could not be moved back and still runs it${reason}`);
    }
    const why = refused ? `: ${refused}` : reason;
    throw failed(wanted, EndpointConfigName, `endpoint ${endpointName} was rolled back to ${EndpointConfigName} instead of running ${wanted}${why}`);
  }

  private status({ redriveCount, endpointConfigName }: ReleaseRequest, endpointStatus: string, previous: string): ReleaseStatus {
    return {
      done: false,
      championMoved: false,
      endpointStatus,
      endpointName: this.spec.endpointName,
      endpointConfigName,
      startedAtRedrive: redriveCount,
      previousEndpointConfigName: previous,
    };
  }
}
