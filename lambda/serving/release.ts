import type { DescribeEndpointCommandOutput } from '@aws-sdk/client-sagemaker';
import type { ReleaseRequest, ReleaseStatus, ServingSpec } from '../../lib/serving/contract';
import type { S3Files } from '../common/s3.client';
import type { ModelRegistryClient } from '../registry/model-registry.client';
import { Clearing } from './clearing';
import { Configurations } from './configurations';
import { deploymentConfig, rollbackConfig } from './deployment-config';
import type { EndpointClient } from './endpoint.client';
import type { Owners } from './owners';
import { Proof } from './proof';
import { busy, failed } from './release-failure';
import { ReleaseRecord } from './release-record';
import type { RollbackAlarms } from './rollback-alarms.client';
import type { SmokeTest } from './smoke-test';
import { Standing } from './standing';
import { isOnItsWay } from './turn-round';

/** The endpoint is doing something that ends by itself. */
const BUSY: readonly (string | undefined)[] = ['Creating', 'Updating', 'SystemUpdating', 'RollingBack', 'Deleting'];

export interface ReleaseParts {
  readonly endpoints: EndpointClient;
  readonly registry: Pick<ModelRegistryClient, 'champion' | 'getVersion' | 'setVersionTag' | 'transition'>;
  readonly owners: Pick<Owners, 'endOf'>;
  readonly alarms: RollbackAlarms;
  readonly files: Pick<S3Files, 'putJson'>;
  readonly smoke: Pick<SmokeTest, 'problem' | 'problemOf' | 'requests'>;
}

/** Moves the live endpoint to a configuration, says when it is there, and proves it. Both actions may be repeated. */
export class Release {
  private readonly configurations: Configurations;
  private readonly proof: Proof;
  private readonly standing: Standing;
  private readonly clearing: Clearing;
  private readonly record: ReleaseRecord;

  constructor(
    private readonly spec: ServingSpec,
    private readonly parts: ReleaseParts,
  ) {
    this.configurations = new Configurations(spec, parts);
    this.proof = new Proof(spec, this.configurations, parts);
    this.standing = new Standing(spec, parts.registry);
    this.record = new ReleaseRecord(spec, parts);
    this.clearing = new Clearing(spec, this.configurations, { ...parts, record: this.record });
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
    await this.proof.ready(request);
    const found = await this.parts.endpoints.describe(endpointName);
    const live = found && (request.rollback ? await this.clearing.forRollback(request, found) : await this.clearing.forRelease(request, found));
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
    await this.record.released(request);
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
