import type { Episode, MonitorSpec } from '../../../lib/monitoring/contract';

/** What a rule says of a window. */
export interface RuleAlarm {
  readonly rule: Episode['rule'];
  readonly key: string;
  readonly alarming: boolean;
  /** False where there was too little to judge by: the window neither continues an episode nor brings its end nearer. */
  readonly judged: boolean;
}

/**
 * Episodes after a window, and those that it begins. An episode ends after as many quiet windows as the persistence looks back, with a new version,
 * and when its rule is no longer among `alarms`, which name every rule there is.
 */
export function nextEpisodes(
  previous: readonly Episode[],
  alarms: readonly RuleAlarm[],
  version: number,
  windowStart: number,
  spec: Pick<MonitorSpec, 'persistence'>,
): { open: Episode[]; begun: Episode[] } {
  const [open, begun]: [Episode[], Episode[]] = [[], []];
  for (const alarm of alarms) {
    const running = previous.find((episode) => episode.rule === alarm.rule && episode.key === alarm.key && episode.version === version);
    if (running === undefined) {
      begun.push(...(alarm.judged && alarm.alarming ? [begin(alarm, version, windowStart)] : []));
    } else if (!alarm.judged) {
      open.push(running);
    } else if (alarm.alarming) {
      open.push({ ...running, windows: running.windows + 1, quiet: 0 });
    } else if (running.quiet + 1 < spec.persistence.windows) {
      open.push({ ...running, quiet: running.quiet + 1 });
    }
  }
  return { open: [...open, ...begun], begun };
}

function begin({ rule, key }: RuleAlarm, version: number, windowStart: number): Episode {
  const since = new Date(windowStart).toISOString();
  const id = [rule, ...(key === rule ? [] : [key]), `v${version}`, since.replace(/[-:]|\.\d+/g, '')].join('-');
  return { id, rule, key, version, since, windows: 1, quiet: 0 };
}
