import { ApprovalSpec } from './contract';

/** Who lets a version that has passed the gate serve. */
export class Approval {
  /** Passing the gate is the approval; the registry's history says so. */
  public static automatic(): Approval {
    return new Approval('automatic');
  }

  private constructor(private readonly policy: string) {}

  /** @internal */
  public _isAutomatic(): boolean {
    return this.policy === 'automatic';
  }

  /** @internal */
  public _toPolicy(): string {
    return this.policy;
  }

  /** @internal */
  public _toSpec(): ApprovalSpec {
    return { policy: 'automatic' };
  }
}
