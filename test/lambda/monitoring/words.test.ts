import { percent } from '../../../lambda/monitoring/words';

test.each([
  [0, '0 %'],
  [1, '100 %'],
  [1e-6, '< 0.01 %'],
  [0.0013, '0.13 %'],
  [0.062, '6.2 %'],
  [0.1234, '12 %'],
  [0.9987, '99.87 %'],
  [0.999, '99.9 %'],
])('a share of %d reads as %s, wherever it is told', (share, text) => {
  expect(percent(share)).toBe(text);
});
