import { Duration, Size, SizeRoundingBehavior, Stack, Token } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { acknowledgeWildcards } from '../common/acknowledge';
import { Validator } from '../common/validation';
import { JobOptions } from './job-options';

export const DEFAULT_INSTANCE_TYPE = 'ml.m5.large';
export const DEFAULT_MAX_RUNTIME = Duration.hours(1);
const DEFAULT_VOLUME = Size.gibibytes(30);
const LONGEST_RUNTIME = 28 * 86_400;
const MOST_VARIABLES = 48;
export const INSTANCE_TYPE = /^ml\.[a-z][a-z0-9-]*\.[a-z0-9-]+$/;
/** Families with local NVMe disks: those with a d behind the generation, and the large accelerators. */
const NVME = /^ml\.([a-z]+\d+[a-z]*d[a-z]*|g[56][a-z]*|gr6|p[456][a-z0-9-]*|trn\d[a-z]*)\./;

/**
 * Job options with their defaults, as SageMaker's requests take them.
 *
 * @internal
 */
export interface JobSettings {
  readonly instanceType: string;
  readonly instanceCount: number;
  readonly volumeGiB: number;
  readonly volumeKey?: kms.IKey;
  readonly maxRuntime: Duration;
  readonly environment?: { readonly [name: string]: string };
  readonly networkIsolation: boolean;
  readonly encryptTraffic: boolean;
}

/** @internal */
export const settingsOf = (options: JobOptions): JobSettings => ({
  instanceType: options.instanceType ?? DEFAULT_INSTANCE_TYPE,
  instanceCount: options.instanceCount ?? 1,
  volumeGiB: (options.volumeSize ?? DEFAULT_VOLUME).toGibibytes({ rounding: SizeRoundingBehavior.FLOOR }),
  volumeKey: options.volumeKey,
  maxRuntime: options.maxRuntime ?? DEFAULT_MAX_RUNTIME,
  environment: Object.keys(options.environment ?? {}).length > 0 ? options.environment : undefined,
  networkIsolation: options.networkIsolation ?? false,
  encryptTraffic: options.encryptTrafficBetweenInstances ?? false,
});

/** @internal */
export const secondsOf = (duration: Duration | undefined): number | undefined =>
  duration === undefined || duration.isUnresolved() ? undefined : duration.toSeconds();

/**
 * What SageMaker would refuse when the job starts.
 *
 * @internal
 */
export const checkJob = (validator: Validator, options: JobOptions): void => {
  const { instanceType = DEFAULT_INSTANCE_TYPE, environment = {}, vpc } = options;
  const gibibytes = options.volumeSize?.isUnresolved() ? undefined : options.volumeSize?.toKibibytes();
  validator
    .pattern('instanceType', options.instanceType, INSTANCE_TYPE, 'SageMaker names instance types ml.<family>.<size>', "e.g. 'ml.m5.large'")
    .range('instanceCount', options.instanceCount, 1, 100, 'whole instances, at most 100')
    .check(Number.isInteger(options.instanceCount ?? 1), {
      rule: 'must be a whole number',
      place: 'instanceCount',
      got: String(options.instanceCount),
      fix: 'choose whole instances',
    })
    .check(gibibytes === undefined || gibibytes % 1_048_576 === 0, {
      rule: 'SageMaker counts disks in whole GiB',
      place: 'volumeSize',
      fix: 'e.g. Size.gibibytes(50)',
    })
    .range('volumeSize', gibibytes && gibibytes / 1_048_576, 1, 16_384, 'choose 1 to 16384 GiB')
    .range('maxRuntime', secondsOf(options.maxRuntime), 60, LONGEST_RUNTIME, 'SageMaker counts seconds, from a minute to 28 days')
    .check(options.volumeKey === undefined || Token.isUnresolved(instanceType) || !NVME.test(instanceType), {
      rule: 'instances with NVMe disks take no key for them',
      place: 'volumeKey',
      got: instanceType,
      fix: 'leave the key out, the hardware encrypts; or choose an instance type without NVMe disks',
    })
    .range('environment', Object.keys(environment).length, 0, MOST_VARIABLES, `SageMaker takes ${MOST_VARIABLES} variables`)
    .check(vpc !== undefined || (options.vpcSubnets === undefined && options.securityGroups === undefined), {
      rule: 'subnets and security groups are those of a VPC',
      place: 'vpc',
      fix: 'name the VPC too',
    })
    .range('securityGroups', options.securityGroups?.length, 1, 5, 'SageMaker takes 1 to 5');
  for (const [name, value] of Object.entries(environment)) {
    validator
      .pattern(`environment.${name}`, name, /^[a-zA-Z_][a-zA-Z0-9_]{0,511}$/, 'names are letters, digits and _, first no digit', 'choose such a name')
      .check(Token.isUnresolved(value) || value.length <= 512, {
        rule: 'must have at most 512 characters',
        place: `environment.${name}`,
        got: String(value.length),
        fix: 'put long values into a file',
      });
  }
};

/**
 * Puts the instances into the VPC, and lets the role make the network interfaces for it; undefined where no VPC is asked for.
 *
 * @internal
 */
export const bindNetwork = (
  scope: Construct,
  { vpc, vpcSubnets, securityGroups }: JobOptions,
  role: iam.IRole,
): { readonly Subnets: string[]; readonly SecurityGroupIds: string[] } | undefined => {
  if (vpc === undefined) return undefined;
  const { subnetIds } = vpc.selectSubnets(vpcSubnets);
  const groups = securityGroups ?? [membersReachEachOther(scope, vpc)];
  const stack = Stack.of(scope);
  const arn = (resource: string, resourceName: string) => stack.formatArn({ service: 'ec2', resource, resourceName });
  const interfaces = arn('network-interface', '*');
  const placed = [...subnetIds.map((id) => arn('subnet', id)), ...groups.map(({ securityGroupId }) => arn('security-group', securityGroupId))];
  const changing = ['CreateNetworkInterface', 'CreateNetworkInterfacePermission', 'DeleteNetworkInterface', 'DeleteNetworkInterfacePermission'];
  const looking = ['DescribeDhcpOptions', 'DescribeNetworkInterfaces', 'DescribeSecurityGroups', 'DescribeSubnets', 'DescribeVpcs'];
  const allow = (actions: string[], resources: string[]) =>
    role.addToPrincipalPolicy(new iam.PolicyStatement({ actions: actions.map((action) => `ec2:${action}`), resources }));
  allow(changing, [interfaces, ...placed]);
  // Lists of EC2 know no resources.
  allow(looking, ['*']);
  const reason = 'Network interfaces are named at run time and stand in these subnets only; lists of EC2 know no resources.';
  acknowledgeWildcards(role, [interfaces, '*'], reason);
  return { Subnets: subnetIds, SecurityGroupIds: groups.map(({ securityGroupId }) => securityGroupId) };
};

/**
 * What encrypts the disks has to be usable by the role.
 *
 * @internal
 */
export const grantVolumeKey = ({ volumeKey }: JobOptions, role: iam.IRole): void => {
  volumeKey?.grant(role, 'kms:CreateGrant', 'kms:Decrypt', 'kms:DescribeKey', 'kms:GenerateDataKeyWithoutPlaintext');
};

const membersReachEachOther = (scope: Construct, vpc: ec2.IVpc): ec2.SecurityGroup => {
  const description = 'Instances of SageMaker jobs: they reach each other and call out';
  const group = new ec2.SecurityGroup(scope, 'JobSecurityGroup', { vpc, description });
  group.addIngressRule(group, ec2.Port.allTraffic(), 'Instances that work together');
  return group;
};
