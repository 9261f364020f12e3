import { CfnMapping, Stack, Token } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { acknowledgeWildcards } from '../common/acknowledge';
import { MlOpsValidationError, Validator } from '../common/validation';
import { SAGEMAKER_IMAGE_ACCOUNTS } from './image-accounts';

const MAPPING_ID = 'SageMakerImageAccounts';
const ACCOUNT = 'account';
const XGBOOST = 'sagemaker-xgboost';
const SCIKIT_LEARN = 'sagemaker-scikit-learn';

/** The framework of a training script: SageMaker's image with that framework in that version trains and serves the model. */
export class Framework {
  /**
   * XGBoost in script mode.
   *
   * Fails at synth if version is not one that SageMaker publishes as `<major>.<minor>-<micro>`.
   *
   * @param version version of the image, e.g. `3.0-5` for XGBoost 3.0.5
   */
  public static xgboost(version: string): Framework {
    return new Framework('Framework.xgboost', XGBOOST, version, version);
  }

  /**
   * scikit-learn in script mode.
   *
   * Fails at synth if version is not one that SageMaker publishes as `<major>.<minor>-<micro>`.
   *
   * @param version version of the image, e.g. `1.4-2` for scikit-learn 1.4.2
   */
  public static scikitLearn(version: string): Framework {
    return new Framework('Framework.scikitLearn', SCIKIT_LEARN, version, `${version}-cpu-py3`);
  }

  private constructor(
    factory: string,
    private readonly repository: string,
    version: string,
    private readonly tag: string,
  ) {
    new Validator(factory)
      .pattern('version', version, /^\d+\.\d+-\d+$/, 'SageMaker tags its images <major>.<minor>-<micro>', "write it like '3.0-5'")
      .throwIfAny();
  }

  /**
   * URI of the image in the region of the scope's stack; fails where AWS is not known to publish it there.
   *
   * @internal
   */
  public _image(scope: Construct): string {
    const stack = Stack.of(scope);
    return `${this.account(scope)}.dkr.ecr.${stack.region}.${stack.urlSuffix}/${this.repository}:${this.tag}`;
  }

  /**
   * Lets a role of SageMaker pull the image, and that of the other framework: an app that changes to this one still has a champion of that one.
   *
   * @internal
   */
  public _grantPull(scope: Construct, role: iam.Role): void {
    role.addToPolicy(
      new iam.PolicyStatement({
        actions: ['ecr:BatchCheckLayerAvailability', 'ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer'],
        resources: this.repositories(scope),
      }),
    );
    // A token for the registry as a whole: the action knows no resources.
    role.addToPolicy(new iam.PolicyStatement({ actions: ['ecr:GetAuthorizationToken'], resources: ['*'] }));
    acknowledgeWildcards(role, ['*'], 'PutMetricData and GetAuthorizationToken know no resources; metrics are bound to namespaces by a condition.');
  }

  /**
   * Lets a function ask which digest an image's tag means. Of repositories in other accounts this is the only call that their policies allow.
   *
   * @internal
   */
  public _grantDigest(scope: Construct, grantee: iam.IGrantable): void {
    const statement = new iam.PolicyStatement({ actions: ['ecr:BatchGetImage'], resources: this.repositories(scope) });
    grantee.grantPrincipal.addToPrincipalPolicy(statement);
  }

  /**
   * Whether the image also trains without a script.
   *
   * @internal
   */
  public get _hasAlgorithm(): boolean {
    return this.repository === XGBOOST;
  }

  /** ARNs of the images of all frameworks. */
  private repositories(scope: Construct): string[] {
    const account = this.account(scope);
    const stack = Stack.of(scope);
    return [XGBOOST, SCIKIT_LEARN].map((resourceName) => stack.formatArn({ service: 'ecr', account, resource: 'repository', resourceName }));
  }

  private account(scope: Construct): string {
    const { region } = Stack.of(scope);
    if (Token.isUnresolved(region)) return mappingOf(scope).findInMap(region, ACCOUNT);
    const account = SAGEMAKER_IMAGE_ACCOUNTS[region];
    if (account !== undefined) return account;
    throw new MlOpsValidationError(scope.node.path, [
      {
        rule: `SageMaker's ${this.repository} image has to be published in the stack's region`,
        place: 'region',
        got: `'${region}'`,
        fix: `deploy to one of ${Object.keys(SAGEMAKER_IMAGE_ACCOUNTS).join(', ')}`,
      },
    ]);
  }
}

/** The stack's region is known only at deploy: the template itself has to look the account up. */
const mappingOf = (scope: Construct): CfnMapping => {
  const stack = Stack.of(scope);
  const known = stack.node.tryFindChild(MAPPING_ID);
  if (known) return known as CfnMapping;
  const mapping = Object.fromEntries(Object.entries(SAGEMAKER_IMAGE_ACCOUNTS).map(([region, account]) => [region, { [ACCOUNT]: account }]));
  return new CfnMapping(stack, MAPPING_ID, { mapping });
};
