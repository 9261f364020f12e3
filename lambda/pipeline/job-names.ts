import { createHash } from 'node:crypto';

/** Part of the name of every job of an execution; tells its jobs from all others. */
export const executionHash = (executionArn: string): string => createHash('sha256').update(executionArn).digest('hex').slice(0, 11);

/** Start of the names of an execution's jobs, other ones in each round: at most 39 + 13 = 52 characters. */
export const jobNameBase = (prefix: string, executionArn: string, round = 0): string => `${prefix}-${executionHash(executionArn)}${round}`;

/** The same names in another round, one digit. */
export const inRound = (base: string, round: number): string => `${base.slice(0, -1)}${round}`;
