import { scaleLinear } from 'd3-scale';
import { horizontal, label, rectangle, svg, vertical } from '../../../monitoring/report/svg';
import { clip, figure, number } from '../../../monitoring/report/words';
import type { FeatureImportance } from '../../evaluation/types';
import type { GateReport } from '../types';
import { percent } from '../words';

const MOST_BARS = 25;
const [WIDTH, NAMES, FIGURES, ROW, TOP, BAR] = [720, 190, 150, 22, 6, 12];

/** Features by how much worse the metric gets without their order; undefined where nothing is known of them. */
export const importanceView = ({ importance }: GateReport) => {
  if (!importance || importance.features.length === 0) return undefined;
  const { features, metric, rows, repeats, baseline, notComputable } = importance;
  return {
    metric,
    chart: drawBars(`Importance of features for ${metric}`, features.slice(0, MOST_BARS)),
    leftOut: Math.max(0, features.length - MOST_BARS),
    notComputable: clip(notComputable.join(', '), 400),
    rows: features.map(({ name, mean, standardDeviation }) => ({
      name: clip(name, 60),
      mean: figure(mean),
      deviation: figure(standardDeviation),
      share: baseline === 0 ? '–' : percent(mean / Math.abs(baseline)),
    })),
    caption:
      `How much worse ${metric} gets where the values of one feature are shuffled among ${number(rows)} sampled rows of the holdout: mean of ` +
      `${repeats === 1 ? 'one shuffle' : `${repeats} shuffles, with its standard deviation as a line`}. ` +
      `${metric} of these rows as they are: ${figure(baseline)}.`,
  };
};

const withDeviation = ({ mean, standardDeviation }: FeatureImportance): string => `${figure(mean, 3)} ± ${figure(standardDeviation, 2)}`;

/** A bar for each feature from zero on, to the left where shuffling made it better. */
const drawBars = (title: string, features: readonly FeatureImportance[]): string => {
  const ends = features.flatMap(({ mean, standardDeviation }) => [mean - standardDeviation, mean + standardDeviation]);
  const [least, most] = [Math.min(0, ...ends), Math.max(0, ...ends)];
  const x = scaleLinear([least, most === least ? least + 1 : most], [NAMES, WIDTH - FIGURES]);
  const base = TOP + features.length * ROW + 4;
  const format = x.tickFormat(5);
  const axis = x.ticks(5).map((value) => vertical('grid', x(value), TOP, base) + label(x(value), base + 14, format(value)));
  const bars = features.map((feature, index) => {
    const { name, mean, standardDeviation } = feature;
    const y = TOP + index * ROW + ROW / 2;
    return (
      label(NAMES - 10, y + 3.5, clip(name, 24), 'end') +
      rectangle('win', x(Math.min(0, mean)), y - BAR / 2, Math.abs(x(mean) - x(0)), BAR) +
      (standardDeviation > 0 ? horizontal('whisker', x(mean - standardDeviation), y, x(mean + standardDeviation)) : '') +
      label(WIDTH, y + 3.5, withDeviation(feature), 'end')
    );
  });
  const description = `${features.map((feature) => `${clip(feature.name, 40)} ${withDeviation(feature)}`).join('; ')}.`;
  const body = axis.join('') + vertical('axis', x(0), TOP, base) + bars.join('');
  return svg({ id: 'importance-bars', width: WIDTH, height: base + 20, kind: 'wide', title, description }, body);
};
