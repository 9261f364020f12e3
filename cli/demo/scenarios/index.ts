import { UsageError } from '../../errors';
import { badCandidate } from './bad-candidate';
import { canaryRollback } from './canary-rollback';
import { manualApproval } from './manual-approval';
import { SCENARIO_NAMES, type ScenarioName } from './names';
import type { Scenario } from './scenario';
import { spotInterruption } from './spot-interruption';

const STORIES: Readonly<Record<ScenarioName, Scenario['tell']>> = {
  'bad-candidate': badCandidate,
  'canary-rollback': canaryRollback,
  'manual-approval': manualApproval,
  'spot-interruption': spotInterruption,
};

export const findScenario = (wanted: string): Scenario => {
  const name = SCENARIO_NAMES.find((known) => known === wanted);
  if (!name) throw new UsageError(`there is no scenario "${wanted}"`, `choose one of ${SCENARIO_NAMES.join(', ')}`);
  return { name, tell: STORIES[name] };
};
