import { createHash } from 'node:crypto';

/** Part of the name of every job of an execution; tells its jobs from all others. */
export const executionHash = (executionArn: string): string => createHash('sha256').update(executionArn).digest('hex').slice(0, 11);

/** Start of the names of an execution's jobs, other ones in each round: at most 39 + 13 = 52 characters. */
export const jobNameBase = (prefix: string, executionArn: string, round = 0): string => `${prefix}-${executionHash(executionArn)}${round}`;

/** The same names in another round, one digit. */
export const inRound = (base: string, round: number): string => `${base.slice(0, -1)}${round}`;

/** What names began with before hash and round were added: the endpoint's name. */
export const prefixOf = (base: string): string => base.replace(/-[0-9a-f]{11}\d$/, '');

/** Redrive that made a job, from its name; undefined where the name is not one that the standard steps give. */
export const redriveOf = (jobName: string, executionArn: string): number | undefined => {
  const found = new RegExp(`${executionHash(executionArn)}\\d-(\\d+)-\\d+(-|$)`).exec(jobName);
  return found ? Number(found[1]) : undefined;
};
