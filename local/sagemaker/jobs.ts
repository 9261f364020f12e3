import type { Tag } from '@aws-sdk/client-sagemaker';
import type { Context } from './context';
import { inUse } from './errors';
import { type Listed, Records, type Rules } from './records';

/** What runs from its creation to its end. */
export interface Job extends Listed {
  done: Promise<void>;
  run(): Promise<void>;
}

interface Start<T> {
  readonly name: string;
  /** The role that the job works as, asked for before there is a job; none where that was asked for earlier. */
  readonly roleArn?: string;
  readonly tags?: readonly Tag[];
  readonly make: (arn: string) => T;
}

/** The jobs of one kind: each name once, begun as soon as they are known. */
export class Jobs<T extends Job> extends Records<T> {
  constructor(
    private readonly context: Context,
    private readonly what: string,
    rules: Rules,
  ) {
    super(rules, context.options.region, context.options.accountId);
  }

  async start({ name, roleArn, tags, make }: Start<T>): Promise<T> {
    const arn = this.arnOf(name);
    this.refuseKnown(name, arn);
    if (roleArn !== undefined) await this.context.engine.assume(roleArn);
    // Another request may have taken the name meanwhile.
    this.refuseKnown(name, arn);
    this.context.tags.set(arn, tags);
    const job = make(arn);
    this.add(job);
    job.done = job.run();
    return job;
  }

  /** Jobs end with their containers when the service closes. */
  async settled(): Promise<void> {
    await Promise.all(this.values().map((job) => job.done));
  }

  private refuseKnown(name: string, arn: string): void {
    if (!this.has(name)) return;
    const one = this.what.startsWith('Auto') ? `an ${this.what}` : `a ${this.what.toLowerCase()}`;
    throw inUse(`${this.what} names must be unique within an AWS account and region, and ${one} with this name already exists (${arn})`);
  }
}
