import { figure, moment } from '../../../monitoring/report/words';
import type { CalibrationBin } from '../../evaluation/types';
import type { GateReport } from '../types';
import { percent, shown } from '../words';
import { drawInterval, drawXy, type XyPoint } from './charts';

/** What of a report is drawn; empty where there is nothing to draw. */

export function improvementChart({ rules: [rule] }: GateReport): string {
  const { interval, improvement, minimumImprovement = 0, unit, metric } = rule;
  if (!interval || improvement === undefined) return '';
  const format = unit === 'share' ? percent : shown;
  const { low, high } = interval;
  const description = `${format(improvement)} better, between ${format(low)} and ${format(high)}; ${format(minimumImprovement)} is needed.`;
  const title = `How much better ${metric} is`;
  return drawInterval({ id: 'better', title, description, value: improvement, low, high, needed: minimumImprovement, format });
}

export function overTimeChart({ overTime, gate: { metric }, blocks }: GateReport): string {
  const points = (whose: 'candidate' | 'champion'): XyPoint[] =>
    overTime.flatMap((point, index) => (point[whose] === undefined ? [] : [{ x: index, y: point[whose] }]));
  const [candidate, champion] = [points('candidate'), points('champion')];
  if (overTime.length < 2) return '';
  const places = [...new Set([0, Math.floor((overTime.length - 1) / 2), overTime.length - 1])];
  const name = (index: number): string => (blocks.unit === 'day' ? moment(overTime[index].name) : `row ${overTime[index].name}`);
  const range = (list: readonly XyPoint[]): string => {
    const values = list.map(({ y }) => y);
    return values.length === 0 ? 'nowhere defined' : `between ${figure(Math.min(...values))} and ${figure(Math.max(...values))}`;
  };
  const second = champion.length > 0 ? `; champion ${range(champion)}` : '';
  return drawXy({
    id: 'days',
    title: `${metric} over the holdout`,
    description: `Candidate ${range(candidate)}${second}, ${overTime.length} points from ${name(0)} to ${name(overTime.length - 1)}.`,
    kind: 'wide',
    candidate,
    champion,
    xName: '',
    yName: metric,
    xTicks: places.map((index) => [index, name(index)] as const),
    dots: overTime.length <= 60,
  });
}

const binPoints = (bins: readonly CalibrationBin[] = []): XyPoint[] =>
  bins.map(({ predicted, observed: { value, low, high } }) => ({ x: predicted, y: value, low, high }));

export function calibrationChart({ calibration, championCalibration, task }: GateReport): string {
  const candidate = binPoints(calibration);
  const binary = task.kind === 'BINARY_CLASSIFICATION';
  const said = candidate.map(({ x, y }) => `${figure(x, 3)}: ${figure(y, 3)}`).join(', ');
  return drawXy({
    id: 'calibration',
    title: 'Predicted and observed',
    description: `Mean prediction and what came, by bin of the candidate: ${said}.`,
    kind: 'small',
    candidate,
    champion: binPoints(championCalibration).map(({ x, y }) => ({ x, y })),
    shares: binary,
    diagonal: true,
    xName: 'predicted',
    yName: binary ? `share of ${task.positiveLabel ?? 'positive'}` : task.target,
    dots: true,
  });
}

export function curveCharts({ curves, championCurves, estimates }: GateReport): { readonly roc: string; readonly precisionRecall: string } {
  if (!curves) return { roc: '', precisionRecall: '' };
  const points = (list: readonly (readonly [number, number])[] = []): XyPoint[] => list.map(([x, y]) => ({ x, y }));
  const area = (metric: string): string => (estimates[metric] ? ` of the candidate: ${figure(estimates[metric].value)}` : '');
  const common = { kind: 'small', shares: true } as const;
  return {
    roc: drawXy({
      ...common,
      id: 'roc',
      title: 'ROC',
      description: `Area below the curve${area('auc')}.`,
      candidate: points(curves.roc),
      champion: points(championCurves?.roc),
      diagonal: true,
      xName: 'false positive rate',
      yName: 'true positive rate',
    }),
    precisionRecall: drawXy({
      ...common,
      id: 'pr',
      title: 'Precision and recall',
      description: `Average precision${area('averagePrecision')}.`,
      candidate: points(curves.precisionRecall),
      champion: points(championCurves?.precisionRecall),
      xName: 'recall',
      yName: 'precision',
    }),
  };
}
