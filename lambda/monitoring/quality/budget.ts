import type { MonitorSpec } from '../../../lib/monitoring/contract';

/**
 * Error that one verdict may have: the share of the model's expected false episodes, spread over their days. Quality is judged once a day, and again
 * while labels come in: each day counts as one verdict, however long the windows are.
 */
export const verdictError = ({ falseAlarms }: Pick<MonitorSpec, 'falseAlarms'>, share: number): number =>
  Math.min(0.5, (falseAlarms.episodes * share) / falseAlarms.days);
