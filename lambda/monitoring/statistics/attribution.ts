/**
 * Normalised discounted cumulative gain of the live order of attributions, valued at the baseline's attributions: 1 where the order is the same.
 * Equal live attributions share the mean gain of their places. Undefined where the baseline attributes nothing or less than nothing, or a
 * value is not finite.
 */
export function ndcgAttribution(baseline: Readonly<Record<string, number>>, live: Readonly<Record<string, number>>): number | undefined {
  const names = [...new Set([...Object.keys(baseline), ...Object.keys(live)])];
  if (![...Object.values(baseline), ...Object.values(live)].every(Number.isFinite)) {
    return undefined;
  }
  const worth = (source: Readonly<Record<string, number>>, name: string): number => (Object.hasOwn(source, name) ? source[name] : 0);
  const discount = (place: number): number => 1 / Math.log2(place + 2);
  const ideal = names
    .map((name) => worth(baseline, name))
    .sort((a, b) => b - a)
    .reduce((sum, gain, place) => sum + gain * discount(place), 0);
  if (!(ideal > 0) || Object.values(baseline).some((worthOf) => worthOf < 0)) {
    return undefined;
  }
  const order = [...names].sort((a, b) => worth(live, b) - worth(live, a));
  let gained = 0;
  for (let start = 0; start < order.length; ) {
    let end = start;
    let [gain, discounts] = [0, 0];
    while (end < order.length && worth(live, order[end]) === worth(live, order[start])) {
      gain += worth(baseline, order[end]);
      discounts += discount(end);
      end += 1;
    }
    gained += (gain / (end - start)) * discounts;
    start = end;
  }
  return gained / ideal;
}
