import * as events from 'aws-cdk-lib/aws-events';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import { ArtifactStore } from '../artifacts/artifact-store';
import { Task } from '../common/task';
import { IModelRegistry } from '../registry/model-registry';
import { Serving } from '../serving/serving';
import { Monitoring } from './monitoring';
import { QualityRule } from './quality-rule';

/** Properties of a ModelMonitor. */
export interface ModelMonitorProps {
  /** Name of the model: letters, digits and hyphens, first a letter, at most 32. */
  readonly modelName: string;

  /** Name of the platform, as allowed for the model's. */
  readonly platformName: string;

  /** What the model predicts; decides the quality metrics. */
  readonly task: Task;

  /** Endpoint whose recorded requests are watched. */
  readonly endpointName: string;

  /**
   * How the endpoint serves: what share of its requests is recorded, and by whom.
   *
   * @default - Serving.serverless(), whose recording function records every request
   */
  readonly serving?: Serving;

  /** In which windows, against what, and with how many false alarms. */
  readonly monitoring: Monitoring;

  /**
   * Rules on live quality; a window that breaks one is degraded.
   *
   * @default - quality is measured but not judged
   */
  readonly qualityRules?: QualityRule[];

  /** Where recorded requests, labels, baselines and results lie. */
  readonly store: ArtifactStore;

  /** Which version serves, and its baseline. */
  readonly registry: IModelRegistry;

  /** Where findings become events. */
  readonly bus: events.IEventBus;

  /**
   * Takes runs that could not be started.
   *
   * @default - a new queue
   */
  readonly deadLetters?: sqs.IQueue;
}
