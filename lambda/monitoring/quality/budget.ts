import type { MonitorSpec } from '../../../lib/monitoring/contract';

const DAY = 86_400;

/**
 * Error that one verdict may have: a share of the model's expected false episodes over the verdicts in as many days. Windows longer than a day are
 * judged again each day while labels come in: each day counts as one.
 */
export const verdictError = ({ falseAlarms, windowSeconds }: Pick<MonitorSpec, 'falseAlarms' | 'windowSeconds'>, share: number): number =>
  Math.min(0.5, (falseAlarms.episodes * share * Math.min(windowSeconds, DAY)) / (falseAlarms.days * DAY));
