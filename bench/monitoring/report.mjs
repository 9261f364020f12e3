// The report of a window with 200 features: wall time and CPU time of a fresh process for one page, and its size.
import { line } from '../line.mjs';
import { bundled } from './environments.mjs';

const FEATURES = 200;
const { renderReport, samplePage } = bundled(`
  export { renderReport } from './lambda/monitoring/report/render';
  export { samplePage } from './test/lambda/monitoring/report/samples';
`);

const shiftOf = (index) => (index % 7 === 0 ? 0.5 : 0);
const samples = Array.from({ length: FEATURES }, (_, index) => ({ name: `feature number ${index}`, kind: 'smooth', shift: shiftOf(index) }));
const { result, context } = samplePage(samples);
const [started, cpu] = [performance.now(), process.cpuUsage()];
const html = renderReport(result, context);
const used = process.cpuUsage(cpu);
line(`report of ${FEATURES} features, wall`, (performance.now() - started) / 1000, 's', 2);
line(`report of ${FEATURES} features, CPU`, (used.user + used.system) / 1e6, 's', 2);
line(`report of ${FEATURES} features, size`, Buffer.byteLength(html) / 1e6, 'MB', 1);
