import * as path from 'node:path';
import { Duration, Size } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { InlineRole } from './inline-role';

/** Root of the handlers that the build bundled; the same two levels up from lib/<area> and dist/<area>. */
const HANDLERS = path.join(__dirname, '..', '..', 'assets', 'lambda');

/**
 * Id of the log group that the functions of a construct share; a construct may make it itself.
 *
 * @internal
 */
export const FUNCTION_LOGS = 'FunctionLogs';

/** What a function of the platform may state; everything else has one setting. */
export interface PlatformFunctionProps {
  /** Handler, as `<area>/<name>` of `lambda/<area>/<name>.lambda.ts`. */
  readonly handler: string;
  readonly description: string;
  readonly environment?: { [name: string]: string };
  readonly timeout?: Duration;
  readonly memorySize?: number;
  /** Temporary disk. @default 512 MiB */
  readonly ephemeralStorageSize?: Size;
  readonly reservedConcurrentExecutions?: number;
  /** @default - one for all functions of the scope */
  readonly logGroup?: logs.ILogGroup;
}

/**
 * A Lambda function with the platform's settings: bundled code and its own role without managed policies. The functions of one construct share a
 * log group; its streams carry the functions' names.
 *
 * @internal
 */
export class PlatformFunction extends lambda.Function {
  constructor(scope: Construct, id: string, props: PlatformFunctionProps) {
    const namespace = new Construct(scope, id);
    const logGroup =
      props.logGroup ??
      (scope.node.tryFindChild(FUNCTION_LOGS) as logs.LogGroup | undefined) ??
      new logs.LogGroup(scope, FUNCTION_LOGS, { retention: logs.RetentionDays.THREE_MONTHS });
    const role = new InlineRole(namespace, 'Role', { assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com') });
    logGroup.grantWrite(role);
    super(namespace, 'Resource', {
      code: lambda.Code.fromAsset(path.join(HANDLERS, props.handler)),
      handler: 'index.handler',
      runtime: lambda.Runtime.NODEJS_24_X,
      architecture: lambda.Architecture.ARM_64,
      description: props.description,
      memorySize: props.memorySize ?? 512,
      ephemeralStorageSize: props.ephemeralStorageSize,
      timeout: props.timeout ?? Duration.minutes(1),
      environment: props.environment,
      reservedConcurrentExecutions: props.reservedConcurrentExecutions,
      role,
      logGroup,
    });
  }
}
