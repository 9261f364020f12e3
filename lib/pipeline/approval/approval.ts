import { Duration, Token } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as sns from 'aws-cdk-lib/aws-sns';
import { Validator } from '../../common/validation';
import { VersionRule } from '../../registry/contract';
import { ApprovalSpec } from '../contract';

/** How persons are asked. */
export interface ApprovalOptions {
  /**
   * Time that persons have, 10 minutes to 300 days. After that the version is rejected as expired and its run fails.
   *
   * @default Duration.days(7)
   */
  readonly expiry?: Duration;

  /**
   * Time after which those who are asked are reminded once, shorter than the expiry; looked at every 5 minutes.
   *
   * @default - half of the expiry
   */
  readonly reminder?: Duration;

  /**
   * Told when an approval is asked for, and reminded: the gate's verdict, the report and the commands. An encrypted topic's key must let EventBridge
   * use it.
   *
   * @default - only the platform's bus is told
   */
  readonly topic?: sns.ITopic;

  /**
   * Roles whose sessions may decide; they get what IAM asks for, and sessions of other roles are refused whatever IAM allows them.
   *
   * @default - whoever `grantApprove()` or another policy lets call the function that decides
   */
  readonly approvers?: iam.IRole[];
}

const DEFAULT_EXPIRY = Duration.days(7);
const SHORTEST = Duration.minutes(10);
/** An execution lives for a year at most. */
const LONGEST = Duration.days(300);

/** Who lets a version that has passed the gate serve. Each environment's app states its own. */
export class Approval {
  /** Passing the gate is the approval; the registry's history says so. */
  public static automatic(): Approval {
    return new Approval('automatic', {});
  }

  /** The run waits until a person approves or rejects the version. */
  public static manual(options: ApprovalOptions = {}): Approval {
    return new Approval('manual', options);
  }

  /**
   * The run waits until two persons stand behind the version: who started it and another one who approves, or two who approve where a schedule, a
   * monitor or a rule started it. One person's rejection suffices. Persons are told apart by the names of their sessions, see
   * `VersionRule.twoPersons()`.
   */
  public static twoPerson(options: ApprovalOptions = {}): Approval {
    return new Approval('two-person', options);
  }

  private constructor(
    private readonly policy: ApprovalSpec['policy'],
    private readonly options: ApprovalOptions,
  ) {}

  /** @internal */
  public get _topic(): sns.ITopic | undefined {
    return this.options.topic;
  }

  /** @internal */
  public get _approvers(): readonly iam.IRole[] {
    return this.options.approvers ?? [];
  }

  /** @internal */
  public _isAutomatic(): boolean {
    return this.policy === 'automatic';
  }

  /** @internal */
  public _validate(validator: Validator): Validator {
    const { expiry, reminder, approvers } = this.options;
    const until = (expiry ?? DEFAULT_EXPIRY).toSeconds();
    validator
      .range('approval.expiry (seconds)', expiry?.toSeconds(), SHORTEST.toSeconds(), LONGEST.toSeconds(), 'choose 10 minutes to 300 days')
      .range('approval.reminder (seconds)', reminder?.toSeconds(), 60, until - 1, 'remind before the approval expires')
      .check(approvers?.length !== 0, {
        rule: 'must not be empty: nobody could decide',
        place: 'approval.approvers',
        fix: 'name a role, or leave it out for whoever IAM allows',
      });
    for (const role of approvers ?? []) {
      validator.check(Token.isUnresolved(role.roleArn) || role.roleArn.includes(':role/'), {
        rule: 'must be roles that persons take',
        place: 'approval.approvers',
        got: `'${role.roleArn}'`,
        fix: 'name the role, for example by iam.Role.fromRoleArn()',
      });
    }
    return validator;
  }

  /** @internal */
  public _toSpec(): ApprovalSpec {
    if (this._isAutomatic()) return { policy: this.policy };
    const expirySeconds = (this.options.expiry ?? DEFAULT_EXPIRY).toSeconds();
    const reminderSeconds = this.options.reminder?.toSeconds() ?? Math.floor(expirySeconds / 2);
    const approvers = this._approvers.map((role) => role.roleArn);
    return { policy: this.policy, expirySeconds, reminderSeconds, ...(approvers.length > 0 ? { approverRoles: approvers } : {}) };
  }

  /**
   * The policy as the registry keeps it.
   *
   * @internal
   */
  public _toRules(): VersionRule[] {
    if (this._isAutomatic()) return [];
    return [{ state: 'Approved', ...(this.policy === 'manual' ? { person: true } : { twoPerson: true }) }];
  }
}
